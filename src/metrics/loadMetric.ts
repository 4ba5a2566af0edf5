import { nearest, TrainerError } from '../errors'
import { accuracy } from './accuracy'
import { f1 } from './f1'
import { glueMetrics } from './glue'
import { matthewsCorrelation } from './matthews'
import { meanAbsoluteError } from './meanAbsoluteError'
import { meanSquaredError } from './meanSquaredError'
import { pearsonr } from './pearson'
import { precision } from './precision'
import { recall } from './recall'
import { spearmanr } from './spearman'
import { toPairs, type MetricFunction, type MetricInput, type MetricOptions, type Pairs } from './values'

/** A metric as in Hugging Face's `evaluate`. */
export interface Metric {
  /** The name that it was loaded by: `f1`, with a configuration `glue/mrpc`. */
  readonly name: string
  /**
   * The metric's values by key, over the rows given here and those of earlier `addBatch` calls, which are forgotten
   * afterwards. Options apply to this call only.
   * @throws TrainerError when there are no rows, when predictions and references differ in number, or do not have one
   * number per row.
   */
  compute(input?: MetricInput | MetricOptions): Record<string, number>
  /** Keeps a batch's rows for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: MetricInput): void
}

/** The tasks of `loadMetric('glue', task)`. */
export type GlueTask = keyof typeof glueMetrics

/** The metrics without configurations, by name. */
const metrics = {
  accuracy,
  f1,
  mae: meanAbsoluteError,
  matthews_correlation: matthewsCorrelation,
  mse: meanSquaredError,
  pearsonr,
  precision,
  recall,
  spearmanr,
} satisfies Record<string, MetricFunction>

export type MetricName = keyof typeof metrics

/**
 * A metric by its name, with a task's name for GLUE: `loadMetric('glue', 'mrpc')`, `loadMetric('f1')`.
 * @throws TrainerError (`argument`) for a name or task that does not exist, with the nearest one.
 */
export function loadMetric(name: 'glue', task: GlueTask): Metric
export function loadMetric(name: MetricName): Metric
export function loadMetric(name: string, task?: string): Metric
export function loadMetric(name: string, task?: string): Metric {
  if (name === 'glue')
    return makeMetric(`glue/${task}`, find(glueMetrics, task ?? '', 'GLUE task', "Write loadMetric('glue', task)."))
  const compute = find({ ...metrics, glue: undefined }, name, 'metric', '')
  if (task === undefined) return makeMetric(name, compute!)
  throw new TrainerError('argument', `The metric '${name}' has no configurations, but '${task}' was given.`, {
    fix: `Write loadMetric('${name}').`,
  })
}

function find<T>(table: Record<string, T>, name: string, kind: string, fix: string): T {
  if (Object.hasOwn(table, name)) return table[name]!
  const close = nearest(name, Object.keys(table))
  const hints = [close === undefined ? '' : `Did you mean '${close}'?`, fix].filter(text => text !== '')
  throw new TrainerError(
    'argument',
    `There is no ${kind} '${name}'; there are ${Object.keys(table).sort().join(', ')}.`,
    {
      fix: hints.length > 0 ? hints.join(' ') : 'Write a custom function as computeMetrics.',
    },
  )
}

function makeMetric(name: string, metric: MetricFunction): Metric {
  let batches: Pairs[] = []
  const addBatch = ({ predictions, references }: MetricInput): void => {
    batches.push(toPairs(name, predictions, references))
  }
  const compute = (input: Partial<MetricInput> = {}): Record<string, number> => {
    const { predictions, references, ...options } = input
    if (predictions !== undefined && references !== undefined) addBatch({ predictions, references })
    else if (predictions !== undefined || references !== undefined) {
      const given = predictions === undefined ? 'references' : 'predictions'
      throw new TrainerError(
        'argument',
        `${name}: compute takes predictions and references together, but only ${given} were given.`,
      )
    }
    const pairs = {
      predictions: join(batches.map(batch => batch.predictions)),
      references: join(batches.map(batch => batch.references)),
    }
    batches = []
    if (pairs.predictions.length > 0) return metric(pairs, options)
    throw new TrainerError('data', `${name}: there are no rows.`, {
      fix: 'Call addBatch first, or give compute predictions and references.',
    })
  }
  return { name, compute, addBatch }
}

function join(parts: readonly Float64Array[]): Float64Array {
  if (parts.length === 1) return parts[0]!
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
