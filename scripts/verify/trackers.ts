// the real TensorBoard, MLflow and Trackio beside what was reported to them
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  AutoModelForSequenceClassification,
  Dataset,
  type LogEntry,
  PrinterCallback,
  setLogLevel,
  Trainer,
  type TrainerCallback,
} from '../../src/index'
import { trackedKey } from '../../src/trackers/logKeys'
import type { Check } from './Check'
import { inPython, inWorkFolder } from './python'
import { type Started, startServer } from './servers'

/** The runs of the check: one, what is evaluated after it, one that resumes from its checkpoint 4, and one that fails. */
interface Reported {
  readonly first: readonly LogEntry[]
  readonly resumed: readonly LogEntry[]
  readonly failed: readonly LogEntry[]
}

/** A step with a number, which is a text where JSON has no word for it. */
type Point = readonly [number, number | string, ...unknown[]]

/** What Python reads. */
interface Read {
  readonly events: Readonly<
    Record<string, { scalars: Record<string, Point[]>; texts: Record<string, [number, string][]> }>
  >
  readonly mlflow: readonly {
    name: string
    status: string
    params: Record<string, string>
    metrics: Record<string, Point[]>
  }[]
  readonly trackio: readonly { name: string; config: Record<string, unknown>; rows: Record<string, unknown>[] }[]
}

const experiment = 'verify trackers'
const project = 'verify-trackers'
const token = 'verify-token'

function trainerIn(outputDir: string, callbacks: TrainerCallback[] = []): Trainer {
  const config = { model_type: 'bert', vocab_size: 30, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 }
  const rows = Array.from({ length: 24 }, (_, row) => ({
    input_ids: [1 + (row % 29), 1 + ((row * 7) % 29)],
    attention_mask: [1, 1],
    label: row % 2,
  }))
  const trainer = new Trainer({
    model: AutoModelForSequenceClassification.fromConfig({ ...config, intermediate_size: 12 }, { numLabels: 2 }),
    args: {
      ...{ outputDir, project, runName: 'checked', reportTo: 'all', seed: 3, threads: 1, disableTqdm: true },
      ...{ maxSteps: 6, perDeviceTrainBatchSize: 4, loggingSteps: 1, saveStrategy: 'steps', saveSteps: 2 },
      ...{ evalStrategy: 'steps', evalSteps: 3 },
    },
    trainDataset: Dataset.fromRows(rows),
    evalDataset: Dataset.fromRows(rows.slice(0, 8)),
    computeMetrics: () => ({ accuracy: 0.5, undefined_share: NaN, infinite: -Infinity }),
    callbacks,
  })
  trainer.removeCallback(PrinterCallback)
  return trainer
}

async function report(outputDir: string): Promise<Reported> {
  const trainer = trainerIn(outputDir)
  await trainer.train()
  await trainer.evaluate()
  const again = trainerIn(outputDir)
  await again.train({ resumeFromCheckpoint: join(outputDir, 'checkpoint-4') })
  const failing = {
    onStepEnd: (_args: unknown, { globalStep }: { readonly globalStep: number }) => {
      if (globalStep === 2) throw new Error('on purpose')
    },
  }
  const broken = trainerIn(outputDir, [failing])
  await broken.train().catch(() => undefined)
  const [first, all, failed] = [trainer, again, broken].map(({ state }) => state.logHistory)
  for (const one of [trainer, again, broken]) await one.dispose()
  return {
    first: first!,
    resumed: all!.filter(({ step }, i) => i >= all!.findIndex(one => one['step'] === 5) && step !== undefined),
    failed: failed!,
  }
}

/** The points of every number in logs. */
function pointsOf(logs: readonly LogEntry[], key: (name: string) => string = name => name): Record<string, Point[]> {
  const points: Record<string, Point[]> = {}
  for (const { step, ...log } of logs)
    for (const [name, value] of Object.entries(log))
      if (typeof value === 'number') (points[key(name)] ??= []).push([Number(step), value])
  return points
}

/** What differs, in a sentence; nothing where all is the same. @param near how two numbers are compared. */
function difference(
  found: Readonly<Record<string, readonly Point[]>>,
  expected: Readonly<Record<string, readonly Point[]>>,
  near: (value: number) => number = value => value,
): string[] {
  const text = (points: readonly Point[] = []): string =>
    JSON.stringify(
      points.map(([step, value]) => [step, String(near(Number(String(value).replace('inf', 'Infinity'))))]),
    )
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])]
  return names.flatMap(name => {
    const [one, other] = [text(found[name]), text(expected[name])]
    return one === other ? [] : [`${name}: ${one}, not ${other}`]
  })
}

/** What TensorBoard's own server shows of a run. */
async function shownBy(url: string, run: string, tags: readonly string[]): Promise<Record<string, Point[]>> {
  const shown: Record<string, Point[]> = {}
  for (const tag of tags) {
    const query = new URLSearchParams({ run, tag })
    const points = (await (await fetch(`${url}/data/plugin/scalars/scalars?${query}`)).json()) as [
      number,
      number,
      number,
    ][]
    shown[tag] = points.map(([, step, value]) => [step, value])
  }
  return shown
}

/** One question, and what is wrong. */
type Answers = Readonly<Record<string, readonly string[]>>

async function compare(
  { first, resumed, failed }: Reported,
  read: Read,
  runs: string,
  board: string,
): Promise<Answers> {
  const whole = [...first.filter(({ step }) => Number(step) <= 4), ...resumed]
  const [run = '', other = ''] = readdirSync(runs).sort()
  const { scalars = {}, texts = {} } = read.events[run] ?? {}
  const [mlflow, broken] = read.mlflow
  const [trackio] = read.trackio
  const shown = await shownBy(board, run, Object.keys(scalars))
  const rows = [...first, ...resumed].map(({ step }) => step)
  const is = (right: boolean, what: string): string[] => (right ? [] : [what])
  return {
    'event files: every scalar, and what the checkpoint voided is gone': difference(
      scalars,
      pointsOf(whole, trackedKey),
      Math.fround,
    ),
    'event files: texts, the failed run beside it': [
      ...is(JSON.parse(texts['args/text_summary']?.[0]?.[1] ?? '{}').run_name === 'checked', JSON.stringify(texts)),
      ...difference(read.events[other]?.scalars ?? {}, pointsOf(failed, trackedKey), Math.fround),
    ],
    'tensorboard --logdir: the last value of every step over HTTP': difference(
      latest(shown),
      latest(pointsOf(whole, trackedKey)),
      Math.fround,
    ),
    'mlflow: every metric with step and time': [
      ...difference(mlflow?.metrics ?? {}, pointsOf([...first, ...resumed]), inMLflow),
      ...is(
        Object.values(mlflow?.metrics ?? {})
          .flat()
          .every(([, , time]) => Math.abs(Number(time) - Date.now()) < 600_000),
        'times',
      ),
    ],
    'mlflow: parameters, status, the run that failed': [
      ...is(
        read.mlflow.length === 2 && mlflow?.status === 'FINISHED' && broken?.status === 'FAILED',
        JSON.stringify(read.mlflow.map(one => one.status)),
      ),
      ...is(
        mlflow?.params['learning_rate'] === '5e-05' && mlflow.params['hidden_size'] === '8',
        JSON.stringify(mlflow?.params),
      ),
      ...is(Object.keys(mlflow?.params ?? {}).length > 100, 'more than a hundred parameters'),
    ],
    'trackio: every row with its step': [
      ...is(
        JSON.stringify(trackio?.rows.map(({ step }) => step)) === JSON.stringify(rows),
        JSON.stringify(trackio?.rows),
      ),
      ...difference(trackioPoints(trackio?.rows ?? []), trackioPoints([...first, ...resumed].map(trackioRow))),
    ],
    'trackio: config': is(
      trackio?.config['learning_rate'] === 5e-5 && trackio.config['hidden_size'] === 8,
      JSON.stringify(trackio?.config),
    ),
  }
}

/** MLflow's store of tables keeps the largest numbers in place of infinity. */
const inMLflow = (value: number): number =>
  value === Infinity ? Number.MAX_VALUE : value === -Infinity ? -Number.MAX_VALUE : value

/** Of each tag the last point of each step: TensorBoard's server shows one. */
function latest(points: Readonly<Record<string, readonly Point[]>>): Record<string, Point[]> {
  const last = (all: readonly Point[]): Point[] => [...new Map(all.map(point => [point[0], point])).values()]
  return Object.fromEntries(Object.entries(points).map(([tag, all]) => [tag, last(all)]))
}

const notCurves = /^(train_runtime|train_samples_per_second|train_steps_per_second|train_loss|total_flos)$/

function trackioRow({ step, ...log }: LogEntry): Record<string, unknown> {
  const kept = Object.entries(log).filter(([key]) => !notCurves.test(key))
  return {
    ...Object.fromEntries(kept.map(([key, value]) => [trackedKey(key), value])),
    'train/global_step': step,
    step,
  }
}

function trackioPoints(rows: readonly Readonly<Record<string, unknown>>[]): Record<string, Point[]> {
  return pointsOf(rows.map(({ timestamp: _, ...row }) => withNumbers(row) as LogEntry))
}

/** JSON's texts for numbers that are not finite, as numbers. */
function withNumbers(row: object): object {
  const number = (value: unknown): unknown => (value === 'nan' ? NaN : value === '-inf' ? -Infinity : value)
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, number(value)]))
}

async function verify(python: string, work: string, print: (line: string) => void): Promise<boolean> {
  const outputDir = join(work, 'out')
  const script = join(import.meta.dirname, 'trackers.py')
  const trackioFolder = { TRACKIO_DIR: join(work, 'trackio'), TRACKIO_WRITE_TOKEN: token, HF_HUB_OFFLINE: '1' }
  const servers: Started[] = []
  const start = async (...given: Parameters<typeof startServer>): Promise<string> => {
    const server = await startServer(...given)
    servers.push(server)
    return server.url
  }
  try {
    const store = ['--workers', '1', '--backend-store-uri', `sqlite:///${join(work, 'mlflow.db')}`]
    const mlflow = await start(
      python,
      'mlflow',
      port => ['-m', 'mlflow', 'server', '--port', `${port}`, ...store],
      work,
    )
    // its first answer takes longer than a run waits for
    await fetch(`${mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default`)
    const trackio = await start(python, 'trackio', port => [script, 'serve', `${port}`], work, trackioFolder)
    Object.assign(process.env, {
      MLFLOW_TRACKING_URI: mlflow,
      MLFLOW_EXPERIMENT_NAME: experiment,
      TRACKIO_SERVER_URL: `${trackio}?write_token=${token}`,
    })
    const reported = await report(outputDir)
    const runs = join(outputDir, 'runs')
    const board = await start(
      python,
      'tensorboard',
      port => ['-m', 'tensorboard.main', '--logdir', runs, '--port', `${port}`],
      work,
    )
    Object.assign(process.env, trackioFolder)
    const read = await inPython<Read>(python, 'trackers.py', ['read', runs, mlflow, experiment, project])
    const answers = Object.entries(await compare(reported, read, runs, board))
    for (const [question, wrong] of answers) {
      print(`${question}: ${wrong.length === 0 ? 'the same' : 'DIFFERENT'}`)
      for (const line of wrong.slice(0, 5)) print(`  ${line.slice(0, 1000)}`)
    }
    return answers.every(([, wrong]) => wrong.length === 0)
  } finally {
    for (const server of servers) server.stop()
  }
}

export const trackers: Check = {
  does: 'Reports a run, one that resumes from its checkpoint and one that fails to the real TensorBoard, MLflow and Trackio, and has Python read them back: every number with its step, parameters, how it ended.',
  needs: 'python3 with tensorboard, mlflow and trackio (--python PATH)',
  takes: 'about a minute',
  options: '[--python PATH (python3)]',
  async run(options, print) {
    const { values } = parseArgs({ args: [...options], options: { python: { type: 'string', default: 'python3' } } })
    setLogLevel('warning')
    return inWorkFolder('trackers', async work => verify(values.python, work, print))
  },
}
