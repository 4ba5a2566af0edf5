// The tasks of GLUE (Wang et al. 2019, arXiv:1804.07461): what is read of their rows, and the metric.
import type { GlueTask as GlueMetric } from 'ts-trainer'

/** A task of GLUE. */
export interface GlueTask {
  /** The folder of its rows, unless that has the task's name. */
  readonly rows?: string
  /** The columns of its texts. */
  readonly columns: readonly [string, string?]
  /** Its classes in order, where the rows do not name them; left out, its label is a number. */
  readonly classes?: readonly string[]
  readonly metric: GlueMetric
  /** The split that is evaluated, 'validation' by default. */
  readonly validation?: string
  /** A second one, evaluated at the end: its results have the suffix _mm, as in run_glue.py. */
  readonly mismatched?: string
}

/** The tasks by name. */
export const glueTasks = {
  cola: {
    columns: ['sentence'],
    classes: ['unacceptable', 'acceptable'],
    metric: 'cola', // Matthews's correlation
  },
  mnli: {
    columns: ['premise', 'hypothesis'],
    classes: ['entailment', 'neutral', 'contradiction'],
    validation: 'validation_matched',
    mismatched: 'validation_mismatched',
    metric: 'mnli', // accuracy
  },
  'mnli-mm': {
    rows: 'mnli',
    columns: ['premise', 'hypothesis'],
    classes: ['entailment', 'neutral', 'contradiction'],
    validation: 'validation_mismatched',
    metric: 'mnli_mismatched', // accuracy
  },
  mrpc: {
    columns: ['sentence1', 'sentence2'],
    classes: ['not_equivalent', 'equivalent'],
    metric: 'mrpc', // accuracy and F1
  },
  qnli: {
    columns: ['question', 'sentence'],
    classes: ['entailment', 'not_entailment'],
    metric: 'qnli', // accuracy
  },
  qqp: {
    columns: ['question1', 'question2'],
    classes: ['not_duplicate', 'duplicate'],
    metric: 'qqp', // accuracy and F1
  },
  rte: {
    columns: ['sentence1', 'sentence2'],
    classes: ['entailment', 'not_entailment'],
    metric: 'rte', // accuracy
  },
  sst2: {
    columns: ['sentence'],
    classes: ['negative', 'positive'],
    metric: 'sst2', // accuracy
  },
  stsb: {
    columns: ['sentence1', 'sentence2'],
    metric: 'stsb', // Pearson's and Spearman's correlations
  },
  wnli: {
    columns: ['sentence1', 'sentence2'],
    classes: ['not_entailment', 'entailment'],
    metric: 'wnli', // accuracy
  },
} as const satisfies Readonly<Record<string, GlueTask>>

export type GlueTaskName = keyof typeof glueTasks
