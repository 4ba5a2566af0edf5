// what was reported to trackers beside what Python and the trackers' own servers read
import { readdirSync } from 'node:fs'
import type { LogEntry } from '../../src/index'
import { trackedKey } from '../../src/trackers/logKeys'

/**
 * The runs of the check: one, what is evaluated after it, one that resumes from its checkpoint 4, and one that fails.
 */
export interface Reported {
  readonly first: readonly LogEntry[]
  readonly resumed: readonly LogEntry[]
  readonly failed: readonly LogEntry[]
}

/** A step with a number, which is a text where JSON has no word for it. */
type Point = readonly [number, number | string, ...unknown[]]

/** What Python reads. */
export interface Read {
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

const is = (right: boolean, what: unknown): string[] => (right ? [] : [JSON.stringify(what)])

/** Event files as Python reads them, and as TensorBoard's own server shows them. */
export async function compareEvents(
  { first, resumed, failed }: Reported,
  { events }: Read,
  runs: string,
  board: string,
): Promise<Answers> {
  const whole = pointsOf([...first.filter(({ step }) => Number(step) <= 4), ...resumed], trackedKey)
  const [run = '', other = ''] = readdirSync(runs).sort()
  const { scalars = {}, texts = {} } = events[run] ?? {}
  const shown = await shownBy(board, run, Object.keys(scalars))
  const args = JSON.parse(texts['args/text_summary']?.[0]?.[1] ?? '{}') as { run_name?: string }
  const broken = pointsOf(failed, trackedKey)
  return {
    'event files: every scalar, and none that the checkpoint has voided': difference(scalars, whole, Math.fround),
    'event files: the arguments': is(args.run_name === 'checked', texts),
    'event files: the run that failed': difference(events[other]?.scalars ?? {}, broken, Math.fround),
    'tensorboard --logdir: the last value of every step, over HTTP': difference(
      latest(shown),
      latest(whole),
      Math.fround,
    ),
  }
}

/** What MLflow's client reads. */
export function compareMLflow({ first, resumed }: Reported, { mlflow }: Read): Answers {
  const [run, broken] = mlflow
  const { metrics = {}, params = {} } = run ?? {}
  const times = Object.values(metrics).flatMap(points => points.map(([, , time]) => Number(time)))
  const states = mlflow.map(({ status }) => status)
  return {
    'mlflow: every metric with its step': difference(metrics, pointsOf([...first, ...resumed]), inMLflow),
    'mlflow: times': is(
      times.every(time => Math.abs(time - Date.now()) < 600_000),
      times,
    ),
    'mlflow: how runs ended': is(states.join() === 'FINISHED,FAILED' && broken !== undefined, states),
    'mlflow: more than a hundred parameters': is(
      params['learning_rate'] === '5e-05' && params['hidden_size'] === '8' && Object.keys(params).length > 100,
      params,
    ),
  }
}

/** What Trackio's client reads. */
export function compareTrackio({ first, resumed }: Reported, { trackio }: Read): Answers {
  const [run] = trackio
  const { rows = [], config = {} } = run ?? {}
  const steps = rows.map(({ step }) => step)
  const expected = [...first, ...resumed]
  return {
    'trackio: rows and their steps': is(String(steps) === String(expected.map(({ step }) => step)), steps),
    'trackio: every value': difference(trackioPoints(rows), trackioPoints(expected.map(trackioRow))),
    'trackio: config': is(config['learning_rate'] === 5e-5 && config['hidden_size'] === 8, config),
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
  return pointsOf(rows.map(row => withNumbers(row) as LogEntry))
}

/** JSON's texts for numbers that are not finite, as numbers. */
function withNumbers(row: object): object {
  const number = (value: unknown): unknown => (value === 'nan' ? NaN : value === '-inf' ? -Infinity : value)
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, number(value)]))
}
