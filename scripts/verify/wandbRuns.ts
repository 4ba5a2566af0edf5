// a run in files of Weights & Biases, read and uploaded by Python's wandb: what arrives is what was logged
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs, promisify } from 'node:util'
import { setLogLevel, type Trainer } from '../../src/index'
import { partsOf } from '../../src/trackers/wandb/rows'
import { trackedTrainer } from '../../test/helpers/trackedTraining'
import { newestRun } from '../../test/helpers/wandbRun'
import { wandbServer } from '../../test/helpers/wandbServer'
import type { Check } from './Check'
import { inPython, inWorkFolder } from './python'

type Row = Readonly<Record<string, unknown>>

/** What Python reads of a run. */
interface Found {
  readonly numbers: readonly number[]
  /** Records with fields that Python's do not have. */
  readonly unknown: readonly number[]
  readonly history: readonly Row[]
  readonly steps: readonly number[]
  readonly summary: Row
  readonly config: Row
  readonly axes: Readonly<Record<string, string>>
  readonly exits: readonly number[]
  readonly run: { readonly id: string; readonly project: string; readonly name: string }
}

/** Rows without what the clock says. */
function plain(rows: readonly Row[]): Row[] {
  return rows.map(({ _timestamp, _runtime, _step, ...row }) => row)
}

/** What the trainer has logged, as rows. */
function logged({ state }: Trainer): Row[] {
  return state.logHistory.map(({ step, ...logs }) => ({ ...partsOf(logs, step as number).row }))
}

function differences(found: Found, trainer: Trainer, rows: readonly Row[]): string[] {
  const wholes = found.numbers.every((number, at) => number === at + 1)
  const expected = plain(rows).map(sorted)
  const final = Object.fromEntries(trainer.state.logHistory.flatMap(logs => Object.entries(logs)))
  const axes = new Set(expected.flatMap(Object.keys))
  const lost = Object.keys(trainer.args.toDict()).filter(name => !(name in found.config))
  return [
    ...(found.unknown.length === 0 ? [] : ['records have fields that are unknown']),
    ...(wholes ? [] : ['records are not numbered one by one']),
    ...(isDeepStrictEqual(plain(found.history).map(sorted), expected) ? [] : ['the rows are not what was logged']),
    ...(found.history.every((row, at) => row['_step'] === at && found.steps[at] === at)
      ? []
      : ['steps are not 0, 1, …']),
    ...(['train_runtime', 'train_loss'].every(key => found.summary[key] === final[key]) ? [] : ['the summary differs']),
    ...[...axes]
      .filter(key => key !== 'train/global_step' && found.axes[key] !== 'train/global_step')
      .map(key => `${key} is not shown against train/global_step`),
    ...lost.map(name => `the configuration lacks ${name}`),
    ...(found.exits.join() === '0' ? [] : [`exits are ${found.exits.join()}`]),
  ]
}

function sorted(row: Row): Row {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Uploads a run by `wandb sync` to a server that keeps it; what differs from the file. */
async function uploaded(python: string, folder: string, { run, history, summary }: Found): Promise<string[]> {
  const server = await wandbServer()
  try {
    const env = { ...process.env, WANDB_BASE_URL: server.url, WANDB_API_KEY: '0'.repeat(40), WANDB_MODE: 'online' }
    await promisify(execFile)(python, ['-m', 'wandb', 'sync', folder], { env, cwd: folder })
    const rows = (server.rows.get(run.id) ?? []) as Row[]
    const sent = server.summaries.get(run.id) ?? {}
    const lost = ['train_runtime', 'train_loss', 'eval/accuracy'].filter(key => sent[key] !== summary[key])
    const { m: axes = [] } = (server.configs.get(run.id)?.['_wandb']?.value ?? {}) as { m?: unknown[] }
    return [
      ...(isDeepStrictEqual(rows.map(sorted), history.map(sorted)) ? [] : ['wandb sync uploads other rows']),
      ...lost.map(key => `wandb sync uploads another ${key}`),
      ...(axes.length > 1 ? [] : ['wandb sync uploads no axes']),
      ...(server.exitCodes.get(run.id) === 0 ? [] : ['wandb sync uploads no end']),
    ]
  } finally {
    await server.close()
  }
}

async function run(given: readonly string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args: [...given],
    options: { python: { type: 'string', default: 'python3' }, updates: { type: 'string', default: '400' } },
  })
  setLogLevel('error')
  const maxSteps = Number(values.updates)
  return inWorkFolder('wandb', async work => {
    process.env['WANDB_MODE'] = 'offline'
    process.env['WANDB_DIR'] = work
    const saveSteps = Math.ceil(maxSteps / 4)
    const train = async (from?: string): Promise<Trainer> => {
      const trainer = trackedTrainer(join(work, 'out'), { maxSteps, saveSteps, evalSteps: 10 })
      await trainer.train(from === undefined ? {} : { resumeFromCheckpoint: from })
      return trainer
    }
    const first = await train()
    await first.evaluate()
    const all = await check('a run, evaluated', first, logged(first))
    const resumed = await train(join(work, 'out', `checkpoint-${saveSteps}`))
    const goesOn = await check('a run, resumed', resumed, logged(resumed))
    return all && goesOn
  })

  async function check(name: string, trainer: Trainer, rows: readonly Row[]): Promise<boolean> {
    const { folder, file } = newestRun(join(process.env['WANDB_DIR']!, 'wandb'))
    const found = await inPython<Found>(values.python, 'wandbRuns.py', [file])
    const problems = [...differences(found, trainer, rows), ...(await uploaded(values.python, folder, found))]
    print(
      `${name}: ${Math.round(statSync(file).size / 1024)} KiB, ${found.numbers.length} records, ${found.history.length} rows, ${found.exits.length} end`,
    )
    for (const problem of problems) print(`  ${problem}`)
    return problems.length === 0
  }
}

export const wandb: Check = {
  does: "Writes runs of Weights & Biases into files, has Python's wandb read them and upload them to a server here, and compares with what was logged.",
  needs: 'Python with wandb 0.25.1 (later ones do not read such files)',
  takes: 'half a minute',
  options: '[--python PYTHON (python3)] [--updates N (400)]',
  run,
}
