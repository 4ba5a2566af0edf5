import { accuracy } from './accuracy'
import type { MetricDefinition } from './definition'
import { f1 } from './f1'
import { matthewsCorrelation } from './matthews'
import { pearsonr } from './pearson'
import { spearmanr } from './spearman'

const plainAccuracy = withoutOptions(accuracy)

const accuracyAndF1: MetricDefinition = {
  compares: 'classes',
  options: [],
  compute: (rows, _, metric) => ({ ...accuracy.compute(rows, {}, metric), ...f1.compute(rows, {}, metric, false) }),
}

const bothCorrelations: MetricDefinition = {
  compares: 'numbers',
  options: [],
  compute: rows => ({ pearson: pearsonr.compute(rows, {}).pearsonr, ...spearmanr.compute(rows, {}) }),
}

/** The metric of each GLUE task, with Hugging Face's keys. None has options or several labels, as in `evaluate`. */
export const glueMetrics = {
  cola: withoutOptions(matthewsCorrelation),
  hans: plainAccuracy,
  mnli: plainAccuracy,
  mnli_matched: plainAccuracy,
  mnli_mismatched: plainAccuracy,
  mrpc: accuracyAndF1,
  qnli: plainAccuracy,
  qqp: accuracyAndF1,
  rte: plainAccuracy,
  sst2: plainAccuracy,
  stsb: bothCorrelations,
  wnli: plainAccuracy,
} satisfies Record<string, MetricDefinition>

function withoutOptions({ compares, compute }: MetricDefinition): MetricDefinition {
  return { compares, options: [], compute }
}
