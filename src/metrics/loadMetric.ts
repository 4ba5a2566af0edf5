import { nearest, TrainerError } from '../errors'
import { refuseArguments, shown } from '../options'
import { accuracy } from './accuracy'
import { confusionMetric } from './confusionMatrix'
import type { MetricDefinition, MetricInput } from './definition'
import { f1 } from './f1'
import type { GatheringMetric } from './gather'
import { glueMetrics } from './glue'
import { matthewsCorrelation } from './matthews'
import { meanAbsoluteError, meanSquaredError } from './meanErrors'
import type { MetricOptions } from './options'
import type {
  ConfusionMetric,
  EntityMetric,
  PerplexityMetric,
  RocAucMetric,
  SquadMetric,
  SquadV2Metric,
} from './otherMetrics'
import { pearsonr } from './pearson'
import { perplexityMetric } from './perplexity'
import { precision } from './precision'
import { recall } from './recall'
import { rocAucMetric, type RocAucConfiguration } from './rocAuc'
import { rowMetric } from './rowMetric'
import { entityMetric } from './seqeval'
import { spearmanr } from './spearman'
import { squadMetric, squadV2Metric } from './squad'

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

/** A metric of something else than numbers in rows. */
interface OtherMetric {
  readonly configurations: readonly string[]
  readonly load: (configuration: string | undefined) => GatheringMetric<unknown>
}

/** The metrics of something else than numbers in rows, by name. */
const others: Readonly<Record<string, OtherMetric>> = {
  confusion_matrix: { configurations: [], load: confusionMetric },
  perplexity: { configurations: [], load: perplexityMetric },
  roc_auc: {
    configurations: ['multiclass', 'multilabel'],
    load: (configuration = 'binary') => rocAucMetric(configuration as RocAucConfiguration),
  },
  seqeval: { configurations: [], load: entityMetric },
  squad: { configurations: [], load: squadMetric },
  squad_v2: { configurations: [], load: squadV2Metric },
}

/** What `evaluate` calls the configurations of several values in a row. */
export type SeveralValues = 'multilabel' | 'multilist'

/**
 * A metric by its name, with a task's name for GLUE: `loadMetric('f1')`, `loadMetric('glue', 'mrpc')`. Accuracy, f1,
 * matthews_correlation, precision and recall have the configuration `multilabel`, in which each row has 0 or 1 for
 * several labels; mae and mse have `multilist`, several numbers in a row. The other metrics compare something else:
 * 'seqeval' labels of words, 'squad' and 'squad_v2' answers, 'roc_auc' (with the configurations `multiclass` and
 * `multilabel`) scores, 'confusion_matrix' classes, 'perplexity' logits of words.
 * @throws TrainerError (`argument`) for a name, task or configuration that does not exist, with the nearest one.
 */
export function loadMetric(name: 'glue', task: GlueTask): Metric
export function loadMetric(name: 'matthews_correlation', configuration: 'multilabel'): Metric<number | number[]>
export function loadMetric(name: 'seqeval'): EntityMetric
export function loadMetric(name: 'squad'): SquadMetric
export function loadMetric(name: 'squad_v2'): SquadV2Metric
export function loadMetric(name: 'roc_auc', configuration?: 'multiclass' | 'multilabel'): RocAucMetric
export function loadMetric(name: 'confusion_matrix'): ConfusionMetric
export function loadMetric(name: 'perplexity'): PerplexityMetric
export function loadMetric(name: MetricName, configuration?: SeveralValues): Metric
export function loadMetric(name: string, configuration?: string): Metric
export function loadMetric(name: string, configuration?: string, ...extra: unknown[]): unknown {
  refuseArguments(extra, 'loadMetric()', 'Give options to compute().')
  if (configuration !== undefined && typeof configuration !== 'string') {
    throw new TrainerError('argument', `loadMetric() takes the name of a configuration, not ${shown(configuration)}.`, {
      fix: 'Give options to compute().',
    })
  }
  if (name === 'glue') {
    const fix = "Write loadMetric('glue', task)."
    const definition = find(glueMetrics, configuration ?? '', 'GLUE task', fix)
    return rowMetric({ name: `glue/${configuration}`, definition, several: false })
  }
  const known = find<MetricDefinition | OtherMetric | undefined>(
    { ...metrics, ...others, glue: undefined },
    name,
    'metric',
    '',
  )!
  if ('configurations' in known) return loadOther(known, name, configuration)
  if (configuration === undefined) return rowMetric({ name, definition: known, several: false })
  if (configuration !== known.several)
    throw noConfiguration(name, configuration, known.several === undefined ? [] : [known.several])
  return rowMetric({ name: `${name}/${configuration}`, definition: known, several: true })
}

function loadOther(
  { configurations, load }: OtherMetric,
  name: string,
  configuration: string | undefined,
): GatheringMetric<unknown> {
  if (configuration === undefined || configurations.includes(configuration)) return load(configuration)
  throw noConfiguration(name, configuration, configurations)
}

function noConfiguration(name: string, given: string, known: readonly string[]): TrainerError {
  const list = known.map(one => `'${one}'`)
  const has =
    list.length === 0
      ? 'no configurations'
      : list.length === 1
        ? `the configuration ${list[0]} only`
        : `the configurations ${list.join(' and ')}`
  const several = list.map(one => `, and of several values in a row loadMetric('${name}', ${one})`).join('')
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
