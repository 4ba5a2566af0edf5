import type { LogEntry } from '../callbacks/TrainerState'
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

const speeds = ['runtime', 'samples_per_second', 'steps_per_second', 'tokens_per_second', 'model_preparation_time']

/** The evaluations in a run's logs by their sets: each log of one has its time. */
export function evaluatedSets(history: readonly LogEntry[]): EvaluatedSet[] {
  const sets = new Map<string, Evaluation[]>()
  for (const entry of history) {
    const prefix = evaluatedPrefix(entry)
    if (prefix === undefined) continue
    sets.set(prefix, [...(sets.get(prefix) ?? []), evaluationOf(entry, prefix)])
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
  const valueOf = ({ metrics }: Evaluation): number => {
    const value = metrics[metric]
    return typeof value === 'number' && !Number.isNaN(value) ? (greater ? value : -value) : -Infinity
  }
  const at = evaluations.reduce((found, one, i) => (valueOf(one) > valueOf(evaluations[found]!) ? i : found), 0)
  return evaluations[at] === undefined || valueOf(evaluations[at]) === -Infinity ? undefined : { metric, at }
}

/** A set's name for readers: that of several, or of another prefix; undefined of the one that there usually is. */
export function setName(prefix: string): string | undefined {
  return prefix === 'eval' ? undefined : prefix.replace(/^eval_/, '')
}
