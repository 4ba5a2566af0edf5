// own.ts is stopped at random moments by Ctrl-C and SIGTERM, and resumed: nothing of what it trains may change
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { checkpointStep } from '../../src/files/checkpointNames'
import { MersenneTwister } from '../../src/random'
import type { Check } from './Check'
import { said } from './said'

const here = import.meta.dirname
const root = join(here, '../..')
const own = join(here, 'own.ts')
const execute = promisify(execFile)

/** The ways in which a run is started and stopped, one after the other. */
const ways = [
  { start: 'npx tsx own.ts', press: 'Ctrl-C' },
  { start: 'npm run train', press: 'Ctrl-C' },
  { start: 'npx tsx own.ts', press: 'SIGTERM' },
  { start: 'npm run train', press: 'SIGTERM' },
] as const
export type Way = (typeof ways)[number]

/** When a run is stopped: so many seconds after an update has begun, or train() where that is 0. */
export interface Moment {
  readonly update: number
  readonly seconds: number
}

/** What an uninterrupted run came to: the hash of its weights, and its updates. */
export interface Whole {
  readonly hash: string
  readonly updates: number
}

/** What came of one press. */
export interface Pressed {
  /** How the run ended, in its words. */
  readonly ended: string
  /** The checkpoints that it left. */
  readonly checkpoints: readonly string[]
  /** Whether it was stopped, unless its last update had begun, and left a checkpoint. */
  readonly hasCheckpoint: boolean
  /** Whether the resumed run has the weights of the uninterrupted one; a run without a checkpoint is not resumed. */
  readonly resumed: 'bit-identical' | 'DIFFERENTLY' | 'WITH AN ERROR' | 'NOT AT ALL'
}

/** `npm run verify -- ctrl-c` */
export const ctrlC: Check = {
  does:
    'Stops a training run by Ctrl-C and SIGTERM at random moments in a pseudo-terminal, under npx tsx and npm run: each ' +
    'time it has to end with a checkpoint, and to come to the very weights of an uninterrupted run when resumed.',
  needs: 'Linux or macOS, python3 (its standard library alone)',
  takes: 'five to ten minutes',
  options: '[--presses N (20)] [--seed N (drawn)]',
  async run(given, print) {
    const { values } = parseArgs({
      args: [...given],
      options: { presses: { type: 'string' }, seed: { type: 'string' } },
    })
    const presses = numberOf('presses', values.presses ?? '20')
    const seed = numberOf('seed', values.seed ?? String(Date.now() % 100_000))
    if (!(await hasPython())) throw new Error('python3 is not on the path: it opens the pseudo-terminals.')
    const folder = mkdtempSync(join(tmpdir(), 'ts-trainer-ctrl-c-'))
    return pressAgainAndAgain(folder, presses, seed, print).finally(() => removeEmpty(folder))
  },
}

/** Presses so many times, and removes the folders of presses that went well; says where the others lie. */
export async function pressAgainAndAgain(
  folder: string,
  presses: number,
  seed: number,
  print: (line: string) => void,
  press: typeof pressOnce = pressOnce,
): Promise<boolean> {
  const random = new MersenneTwister(seed)
  const reference = join(folder, 'whole')
  const whole = await trainWhole(reference).finally(() => rmSync(reference, { recursive: true, force: true }))
  print(`An uninterrupted run makes ${whole.updates} updates; moments are drawn with seed ${seed}.`)
  const results: Pressed[] = []
  for (let i = 0; i < presses; i++) {
    const way = ways[i % ways.length]!
    const moment = drawMoment(random, whole)
    const place = join(folder, `press-${i + 1}`)
    const result = await press(place, way, moment, whole)
    const { ended, checkpoints, hasCheckpoint, resumed } = result
    const left = hasCheckpoint ? checkpoints.join(', ') : `NO CHECKPOINT (${checkpoints.join(', ') || 'none'})`
    const begin = moment.update === 0 ? 'train()' : `update ${moment.update}`
    const when = `${Math.round(moment.seconds * 1000)} ms after ${begin} has begun`
    print(`${i + 1} ${way.press} to ${way.start} ${when}: ${ended}; ${left}; resumed ${resumed}`)
    if (isGood(result)) rmSync(place, { recursive: true, force: true })
    else print(`  kept for you to see: ${place}`)
    results.push(result)
  }
  const checkpoints = results.filter(({ hasCheckpoint }) => hasCheckpoint).length
  const identical = results.filter(({ resumed }) => resumed === 'bit-identical').length
  print(`${presses} presses, ${checkpoints} checkpoints, ${identical} resumed bit-identical`)
  return results.every(isGood)
}

function isGood({ hasCheckpoint, resumed }: Pressed): boolean {
  return hasCheckpoint && resumed === 'bit-identical'
}

/** Removes the folder of all presses, unless the folder of one was kept. */
function removeEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}

/** A moment in the run: in an update, or in what follows it (checkpoints, evaluations); before the first one, too. */
function drawMoment(random: MersenneTwister, { updates }: Whole): Moment {
  const fraction = (): number => random.next32() / 2 ** 32
  return { update: Math.floor(fraction() * updates), seconds: fraction() * 0.15 }
}

/** Whether there is a python3. */
export async function hasPython(): Promise<boolean> {
  return execute('python3', ['-c', 'import pty']).then(
    () => true,
    () => false,
  )
}

/** Trains to the end in an empty folder. */
export async function trainWhole(folder: string): Promise<Whole> {
  mkdirSync(folder)
  const output = await train(folder)
  return { hash: finalHash(folder)!, updates: Number(endOf(output)?.split(' ').at(-1)) }
}

/** Trains in an empty folder, stops the run at a moment, and resumes it to the end. */
export async function pressOnce(folder: string, way: Way, moment: Moment, whole: Whole): Promise<Pressed> {
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', scripts: { train: `tsx "${own}" out` } }),
  )
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const [before, behind] = await runAndPress(folder, way, moment)
  const ended = endOf(before + behind)
  // in the last update there is nothing left to stop
  const isStopped = ended?.startsWith(said.stopped) === true || before.includes(said.update(whole.updates))
  const out = join(folder, 'out')
  const checkpoints = existsSync(out) ? readdirSync(out).filter(name => checkpointStep(name) !== undefined) : []
  return {
    ended: ended ?? 'ended without a word',
    checkpoints,
    hasCheckpoint: isStopped && checkpoints.length > 0,
    resumed: checkpoints.length === 0 ? 'NOT AT ALL' : await resume(folder, whole),
  }
}

async function resume(folder: string, whole: Whole): Promise<Pressed['resumed']> {
  const hasEnded = await train(folder, '--resume').then(
    () => true,
    () => false,
  )
  if (!hasEnded) return 'WITH AN ERROR'
  return finalHash(folder) === whole.hash ? 'bit-identical' : 'DIFFERENTLY'
}

/** Runs own.ts in a terminal, and stops it: what it wrote before and after. */
async function runAndPress(
  folder: string,
  { start, press }: Way,
  { update, seconds }: Moment,
): Promise<readonly [string, string]> {
  const command = start === 'npm run train' ? ['npm', 'run', 'train'] : ['npx', 'tsx', own, 'out']
  const begin = update === 0 ? said.begins : said.update(update)
  const given = [begin, String(seconds), press === 'Ctrl-C' ? 'int' : 'term', ...command]
  const { stdout } = await execute('python3', [join(here, 'press.py'), ...given], { cwd: folder })
  const [before = '', behind = ''] = stdout.split('--- stopped here ---')
  return [before, behind]
}

/** How a run says that it ended. */
function endOf(output: string): string | undefined {
  return new RegExp(`(${said.stopped}|${said.finished}) \\d+`).exec(output)?.[0]
}

async function train(folder: string, ...options: readonly string[]): Promise<string> {
  const command = ['--import', 'tsx', own, join(folder, 'out'), ...options]
  return (await execute(process.execPath, command, { cwd: root })).stdout
}

function finalHash(folder: string): string | undefined {
  const path = join(folder, 'out', 'final', 'model.safetensors')
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : undefined
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} should be a whole number above 0, not ${text}.`)
}
