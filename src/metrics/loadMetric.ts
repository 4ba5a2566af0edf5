import { nearest, TrainerError } from '../errors'
import { checkOptions, refuseArguments, shown } from '../options'
import { accuracy } from './accuracy'
import type { LoadedMetric, MetricDefinition, MetricInput, MetricValues } from './definition'
import { f1 } from './f1'
import { glueMetrics } from './glue'
import { matthewsCorrelation } from './matthews'
import { meanAbsoluteError, meanSquaredError } from './meanErrors'
import { checkMetricOptions, type MetricOptions } from './options'
import { pearsonr } from './pearson'
import { precision } from './precision'
import { recall } from './recall'
import { toRows, toWeights } from './rows'
import { spearmanr } from './spearman'
import type { Rows } from './values'

/** Options that ask for the list of all scores. */
type ListOptions = { readonly average: null } | { readonly multioutput: 'raw_values' }

/** A metric as in Hugging Face's `evaluate`. */
export interface Metric<Value = number> {
  /** The name that it was loaded by: `f1`, with a configuration `glue/mrpc`. */
  readonly name: string
  /**
   * The metric's values by key, over the rows given here and those of earlier `addBatch` calls, which are forgotten
   * afterwards, but not where the call fails. Options apply to this call only. A key has a list where the options ask for the scores of all classes.
   * @throws TrainerError when there are no rows, when predictions and references differ in number, or do not have what
   * the metric compares in each row; for an option that the metric does not have, and for a value that it cannot have.
   */
  compute(input: (MetricInput | MetricOptions) & ListOptions): Record<string, number | number[]>
  compute(input?: MetricInput | MetricOptions): Record<string, Value>
  /** Keeps a batch's rows for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: Pick<MetricInput, 'predictions' | 'references'>): void
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
} satisfies Record<string, MetricDefinition>

export type MetricName = keyof typeof metrics

/** What `evaluate` calls the configurations of several values in a row. */
export type SeveralValues = 'multilabel' | 'multilist'

/**
 * A metric by its name, with a task's name for GLUE: `loadMetric('f1')`, `loadMetric('glue', 'mrpc')`. Accuracy, f1,
 * matthews_correlation, precision and recall have the configuration `multilabel`, in which each row has 0 or 1 for
 * several labels; mae and mse have `multilist`, several numbers in a row.
 * @throws TrainerError (`argument`) for a name, task or configuration that does not exist, with the nearest one.
 */
export function loadMetric(name: 'glue', task: GlueTask): Metric
export function loadMetric(name: 'matthews_correlation', configuration: 'multilabel'): Metric<number | number[]>
export function loadMetric(name: MetricName, configuration?: SeveralValues): Metric
export function loadMetric(name: string, configuration?: string): Metric
export function loadMetric(name: string, configuration?: string, ...extra: unknown[]): Metric {
  refuseArguments(extra, 'loadMetric()', 'Give options to compute().')
  if (configuration !== undefined && typeof configuration !== 'string') {
    throw new TrainerError('argument', `loadMetric() takes the name of a configuration, not ${shown(configuration)}.`, {
      fix: 'Give options to compute().',
    })
  }
  if (name === 'glue') {
    const fix = "Write loadMetric('glue', task)."
    const definition = find(glueMetrics, configuration ?? '', 'GLUE task', fix)
    return makeMetric({ name: `glue/${configuration}`, definition, several: false }) as Metric
  }
  const definition: MetricDefinition = find({ ...metrics, glue: undefined }, name, 'metric', '')!
  if (configuration === undefined) return makeMetric({ name, definition, several: false }) as Metric
  if (configuration !== definition.several) throw noConfiguration(name, configuration, definition.several)
  return makeMetric({ name: `${name}/${configuration}`, definition, several: true }) as Metric
}

function noConfiguration(name: string, given: string, known: string | undefined): TrainerError {
  const has = known === undefined ? 'no configurations' : `the configuration '${known}' only`
  const several = known === undefined ? '' : `, and of several values in a row loadMetric('${name}', '${known}')`
  return new TrainerError('argument', `The metric '${name}' has ${has}, but '${given}' was given.`, {
    fix: `Write loadMetric('${name}')${several}.`,
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

function makeMetric(metric: LoadedMetric): Metric<number | number[]> {
  const { name, definition } = metric
  let batches: Rows[] = []
  const withBatch = ({ predictions, references }: MetricInput): Rows[] => {
    const rows = toRows(metric, predictions, references)
    const first = batches[0] ?? rows
    if (rows.width !== first.width) {
      throw new TrainerError(
        'data',
        `${name}: a batch has ${rows.width} values in each row, and an earlier one ${first.width}.`,
        { fix: 'Give each batch the same labels in the same order.' },
      )
    }
    return rows.predictions.length > 0 ? [...batches, rows] : batches
  }
  const addBatch = (input: MetricInput, ...extra: unknown[]): void => {
    refuseArguments(extra, 'addBatch()')
    checkOptions(input, ['predictions', 'references'], `addBatch() of ${name}`)
    if (input === undefined)
      throw new TrainerError('argument', `addBatch() of ${name} was given nothing.`, {
        fix: 'Write addBatch({ predictions, references }).',
      })
    batches = withBatch(input)
  }
  const compute = (input: Partial<MetricInput> = {}, ...extra: unknown[]): MetricValues => {
    refuseArguments(extra, 'compute()')
    checkMetricOptions(name, input, definition.options)
    const rows = joinRows(isPair(name, input) ? withBatch(input) : batches)
    if (rows === undefined) {
      throw new TrainerError('data', `${name}: there are no rows.`, {
        fix: 'Call addBatch first, or give compute predictions and references.',
      })
    }
    const given = input.sampleWeight ?? undefined
    const weights = given && toWeights(name, given, rows.predictions.length / rows.width)
    const values = definition.compute({ ...rows, weights }, input, name, metric.several)
    batches = [] // not before: after an error the same rows can be computed with other options
    return values
  }
  return { name, compute, addBatch }
}

/** @throws TrainerError for predictions without references, or the other way round. */
function isPair(name: string, input: Partial<MetricInput>): input is MetricInput {
  const { predictions, references } = input
  if (predictions !== undefined && references !== undefined) return true
  if (predictions === undefined && references === undefined) return false
  const given = predictions === undefined ? 'references' : 'predictions'
  throw new TrainerError(
    'argument',
    `${name}: compute takes predictions and references together, but only ${given} were given.`,
  )
}

function joinRows(batches: readonly Rows[]): Rows | undefined {
  const [first] = batches
  return (
    first && {
      predictions: join(batches.map(batch => batch.predictions)),
      references: join(batches.map(batch => batch.references)),
      width: first.width,
    }
  )
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
