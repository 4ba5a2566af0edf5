import { accuracy } from './accuracy'
import { f1 } from './f1'
import { matthewsCorrelation } from './matthews'
import { pearsonr } from './pearson'
import { spearmanr } from './spearman'
import type { MetricFunction, MetricOptions, Pairs } from './values'

/** The metric of each GLUE task, with Hugging Face's keys. */
export const glueMetrics = {
  cola: matthewsCorrelation,
  hans: accuracy,
  mnli: accuracy,
  mnli_matched: accuracy,
  mnli_mismatched: accuracy,
  mrpc: accuracyAndF1,
  qnli: accuracy,
  qqp: accuracyAndF1,
  rte: accuracy,
  sst2: accuracy,
  stsb: bothCorrelations,
  wnli: accuracy,
} satisfies Record<string, MetricFunction>

function accuracyAndF1(pairs: Pairs, options: MetricOptions = {}): { accuracy: number; f1: number } {
  return { ...accuracy(pairs, options), ...f1(pairs, options) }
}

function bothCorrelations(pairs: Pairs): { pearson: number; spearmanr: number } {
  return { pearson: pearsonr(pairs).pearsonr, ...spearmanr(pairs) }
}
