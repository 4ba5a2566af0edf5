// predictions → the numbers that say how good a model is
import { classificationReport, type ComputeMetrics, loadMetric, type Tensor } from '../../index'
import type { RowTask } from './labels'

/** What a task is judged by. */
export interface Judgement {
  readonly computeMetrics: ComputeMetrics
  /** What computeMetrics gives. */
  readonly metrics: readonly string[]
  /** The metric by which the best model is kept. */
  readonly best: string
}

/** Accuracy and F1 (the mean over the classes); of numbers the correlations and the mean squared error. */
export const judgements: Readonly<Record<RowTask, Judgement>> = {
  'text-classification': {
    computeMetrics: ({ predictions, labels }) => {
      const input = { predictions: predictions.argmax(-1), references: labels }
      const f1 = loadMetric('f1').compute({ ...input, average: 'macro', zeroDivision: 0 })
      return { ...loadMetric('accuracy').compute(input), ...f1 }
    },
    metrics: ['accuracy', 'f1'],
    best: 'f1',
  },
  'multi-label-classification': {
    computeMetrics: ({ predictions, labels }) => {
      const input = { predictions: aboveHalf(predictions), references: (labels as Tensor).tolist() as number[][] }
      const f1 = loadMetric('f1', 'multilabel').compute({ ...input, average: 'micro', zeroDivision: 0 })
      return { ...loadMetric('accuracy', 'multilabel').compute(input), ...f1 }
    },
    metrics: ['accuracy', 'f1'],
    best: 'f1',
  },
  regression: {
    computeMetrics: ({ predictions, labels }) => {
      const input = { predictions, references: labels }
      const { pearsonr } = loadMetric('pearsonr').compute(input)
      const { spearmanr } = loadMetric('spearmanr').compute(input)
      return { ...loadMetric('mse').compute(input), pearson: pearsonr, spearmanr }
    },
    metrics: ['mse', 'pearson', 'spearmanr'],
    best: 'loss',
  },
}

/** A class is predicted where its probability is above a half: its logit above zero. */
function aboveHalf(logits: Tensor): number[][] {
  return (logits.tolist() as number[][]).map(row => row.map(logit => (logit > 0 ? 1 : 0)))
}

/** More classes than anybody reads a table of. */
const mostReported = 150

/**
 * A table of the classes: precision, recall, F1 and the number of rows of each; numbers have none. Classes that neither
 * a label nor a prediction is of are named below it, for they count in no mean, as in computeMetrics.
 */
export function classTable(
  { predictions, labels }: Parameters<ComputeMetrics>[0],
  task: RowTask,
  targetNames: readonly string[],
): string | undefined {
  if (task === 'regression' || targetNames.length > mostReported) return undefined
  const isOneClass = task === 'text-classification'
  const found = isOneClass ? predictions.argmax(-1) : aboveHalf(predictions)
  const occurring = new Set(isOneClass ? [labels, found].flatMap(each => (each as Tensor).tolist() as number[]) : [])
  const ids = targetNames.map((_, id) => id)
  const shown = isOneClass ? ids.filter(id => occurring.has(id)) : ids
  const options = { labels: shown, targetNames: shown.map(id => targetNames[id]!), zeroDivision: 0, digits: 3 }
  const table = String(classificationReport(labels as never, found as never, options)).trimEnd()
  const absent = targetNames.filter((_, id) => !shown.includes(id))
  if (absent.length === 0) return table
  return `${table}\n\nIn no label and no prediction, and in no mean: ${absent.join(', ')}`
}
