import { speedKeys } from '../callbacks/format'
import type { LogEntry } from '../callbacks/TrainerState'
import { isBetter } from '../metrics/better'
import type { MetricValue } from '../metrics/Metrics'
import type { BestEvaluation } from './Report'

/** The evaluations of one set, in their order. */
export interface EvaluatedSet {
  /** What the keys of its metrics begin with: `eval`, `eval_mnli`. */
  readonly prefix: string
  readonly evaluations: readonly Evaluation[]
}

export interface Evaluation {
  readonly step: number
  readonly epoch: number
  /** By name without the prefix, without the speed. */
  readonly metrics: Readonly<Record<string, MetricValue>>
  /** How long it took, in seconds, and rows a second, where they were logged. */
  readonly seconds: number | undefined
  readonly rowsPerSecond: number | undefined
}

/** What says how fast an evaluation was; the last is in the logs of Python's Trainer alone. */
const speeds: readonly string[] = [...speedKeys, 'model_preparation_time']

/** The evaluations in a run's logs by their sets: each log of one has its time. */
export function evaluatedSets(history: readonly LogEntry[]): EvaluatedSet[] {
  const sets = new Map<string, Evaluation[]>()
  for (const entry of history) {
    const prefix = evaluatedPrefix(entry)
    if (prefix === undefined) continue
    const known = sets.get(prefix) ?? []
    sets.set(prefix, known)
    known.push(evaluationOf(entry, prefix))
  }
  return [...sets].map(([prefix, evaluations]) => ({ prefix, evaluations }))
}

/** What the keys of an evaluation's metrics begin with; undefined for another log. */
export function evaluatedPrefix(entry: LogEntry): string | undefined {
  const timed = Object.keys(entry).find(key => key.endsWith('_runtime'))
  return timed === undefined || timed === 'train_runtime' ? undefined : timed.slice(0, -'_runtime'.length)
}

function evaluationOf(entry: LogEntry, prefix: string): Evaluation {
  const own = Object.entries(entry)
    .filter(([key]) => key.startsWith(`${prefix}_`))
    .map(([key, value]) => [key.slice(prefix.length + 1), value] as const)
  return {
    step: numberIn(entry, 'step') ?? 0,
    epoch: numberIn(entry, 'epoch') ?? 0,
    metrics: Object.fromEntries(own.filter(([key]) => !speeds.includes(key))),
    seconds: numberIn(entry, `${prefix}_runtime`),
    rowsPerSecond: numberIn(entry, `${prefix}_samples_per_second`),
  }
}

/** A number in a log. */
export function numberIn(entry: LogEntry, key: string): number | undefined {
  const value = entry[key]
  return typeof value === 'number' ? value : undefined
}

/** The names of all metrics of a set, the loss first. */
export function metricNames({ evaluations }: EvaluatedSet): string[] {
  const names = [...new Set(evaluations.flatMap(({ metrics }) => Object.keys(metrics)))]
  return [...names.filter(name => name === 'loss'), ...names.filter(name => name !== 'loss')]
}

/**
 * Which evaluation of a set is the best, by which metric: that of the arguments, else the loss; undefined without
 * either.
 */
export function bestOf(
  { prefix, evaluations }: EvaluatedSet,
  best: BestEvaluation | undefined,
): { readonly metric: string; readonly at: number } | undefined {
  const wanted = [best?.metric, `eval_${best?.metric}`]
  const named = metricNames({ prefix, evaluations }).find(name => wanted.includes(`${prefix}_${name}`))
  const metric = named ?? 'loss'
  const greater = named !== undefined && best!.greaterIsBetter
  let found: { readonly at: number; readonly value: number } | undefined
  for (const [at, { metrics }] of evaluations.entries()) {
    const value = metrics[metric]
    if (typeof value === 'number' && isBetter(value, found?.value, greater)) found = { at, value }
  }
  return found && { metric, at: found.at }
}

/** A set's name for readers: that of several, or of another prefix; undefined of the one that there usually is. */
export function setName(prefix: string): string | undefined {
  return prefix === 'eval' ? undefined : prefix.replace(/^eval_/, '')
}
