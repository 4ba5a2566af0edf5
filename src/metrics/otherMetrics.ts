// the metrics that compare something else than numbers row by row, as loadMetric gives them
import type { ClassPairs, ConfusionMatrixOptions } from './confusionMatrix'
import type { PerplexityRows } from './perplexity'
import type { RocAucOptions, RocAucRows } from './rocAuc'
import type { EntityOptions, EntityRows, EntityScores } from './seqeval'
import type { AnswerRows, NoAnswerOptions, SquadScores, SquadV2Scores } from './squad'

/** `loadMetric('seqeval')`: entities, of labels of words. */
export interface EntityMetric {
  readonly name: string
  /**
   * The scores over the sentences given here and those of earlier `addBatch` calls, which are forgotten afterwards, but
   * not where the call fails.
   * @throws TrainerError (`data`) without sentences, for labels that are not one for each word, and in 'strict' mode
   * for labels that the scheme does not have.
   * @example
   * const seqeval = loadMetric('seqeval')
   * const scores = seqeval.compute({ predictions: [['B-PER', 'O']], references: [['B-PER', 'I-PER']] })
   * scores.overall_f1 // 0
   */
  compute(input?: (EntityRows & EntityOptions) | EntityOptions): EntityScores
  /** Keeps a batch's sentences for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: EntityRows): void
}

/** `loadMetric('squad')`: answers to questions all of which have one. */
export interface SquadMetric {
  readonly name: string
  /**
   * Exact match and F1 in percent, over the questions given here and those of earlier `addBatch` calls.
   * @throws TrainerError (`data`) for a question that one of both sides does not have, and for one without an answer.
   * @example
   * loadMetric('squad').compute({
   *   predictions: [{ id: '1', prediction_text: 'the Rhine' }],
   *   references: [{ id: '1', answers: { text: ['Rhine', 'river Rhine'] } }],
   * }) // { exact_match: 100, f1: 100 }
   */
  compute(input?: AnswerRows): SquadScores
  /** Keeps a batch's questions for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: AnswerRows): void
}

/** `loadMetric('squad_v2')`: answers to questions some of which have none. */
export interface SquadV2Metric {
  readonly name: string
  /**
   * Exact match and F1 in percent, over the questions given here and those of earlier `addBatch` calls; also of those
   * with (`HasAns_`) and without (`NoAns_`) an answer, and with the threshold that would have been best.
   * @throws TrainerError (`data`) for a question that one of both sides does not have, and for a prediction without
   * `no_answer_probability`.
   * @example
   * loadMetric('squad_v2').compute({
   *   predictions: [{ id: '1', prediction_text: '', no_answer_probability: 0.9 }],
   *   references: [{ id: '1', answers: { text: [] } }],
   * }).exact // 100
   */
  compute(input?: (AnswerRows & NoAnswerOptions) | NoAnswerOptions): SquadV2Scores
  /** Keeps a batch's questions for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: AnswerRows): void
}

/** `loadMetric('roc_auc')`: scores of classes. */
export interface RocAucMetric {
  readonly name: string
  /**
   * The area under the ROC curve, over the rows given here and those of earlier `addBatch` calls. Scores are [rows] of
   * two classes (of the greater one), [rows, classes] with the configuration `multiclass`, [rows, labels] with
   * `multilabel`; NaN where the references have one class only. A list with `average: null`.
   * @throws TrainerError for other shapes, for scores of classes that do not add up to 1, and for options that the
   * configuration does not have.
   * @example
   * const metric = loadMetric('roc_auc', 'multiclass')
   * const computeMetrics = ({ predictions, labels }: EvalPrediction) =>
   *   metric.compute({ predictions: predictions.softmax(), references: labels, multiClass: 'ovr' })
   */
  compute(input: (RocAucOptions | (RocAucRows & RocAucOptions)) & { readonly average: null }): {
    readonly roc_auc: number | number[]
  }
  compute(input?: (RocAucRows & RocAucOptions) | RocAucOptions): { readonly roc_auc: number }
  /** Keeps a batch's rows for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: RocAucRows): void
}

/** `loadMetric('confusion_matrix')`: how often each class is predicted as each. */
export interface ConfusionMetric {
  readonly name: string
  /**
   * As {@link confusionMatrix}, over the rows given here and those of earlier `addBatch` calls.
   * @throws TrainerError as {@link confusionMatrix} does.
   */
  compute(input?: (ClassPairs & ConfusionMatrixOptions) | ConfusionMatrixOptions): {
    readonly confusion_matrix: number[][]
  }
  /** Keeps a batch's rows for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: ClassPairs): void
}

/** `loadMetric('perplexity')`: logits of hidden words. */
export interface PerplexityMetric {
  readonly name: string
  /**
   * exp of the mean loss over all words whose label is not -100, given here and in earlier `addBatch` calls. Of batches
   * only their losses are kept.
   * @throws TrainerError for shapes that do not belong together, and where no label counts.
   * @example
   * const metric = loadMetric('perplexity')
   * const computeMetrics = ({ predictions, labels }: EvalPrediction) =>
   *   metric.compute({ predictions, references: labels })
   */
  compute(input?: PerplexityRows): { readonly perplexity: number }
  /** Keeps a batch's losses for `compute`. @throws TrainerError as `compute` does. */
  addBatch(input: PerplexityRows): void
}
