import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { refuseArguments, shown } from '../options'
import { Tensor } from '../tensor'
import type { EntityRows } from './seqeval'

/** What a model of tokens predicts: logits [rows, length, classes] or classes [rows, length], and labels [rows, length]. */
export interface TokenPrediction {
  readonly predictions: Tensor
  readonly labels: Tensor
}

/**
 * What `computeMetrics` gets from a model of tokens, as the labels' names that `loadMetric('seqeval')` and
 * `entityReport` compare: of each row the tokens whose label is not -100, so one for each word that was not cut off.
 * @param names the class names in order, or a config's `id2label`.
 * @throws TrainerError for shapes that do not belong together, and for a class without a name.
 * @example
 * const names = ['O', 'B-PER', 'I-PER']
 * const seqeval = loadMetric('seqeval')
 * const computeMetrics = (prediction: EvalPrediction) => seqeval.compute(entityLabels(prediction, names))
 */
export function entityLabels(prediction: TokenPrediction, names: ClassNames): EntityRows
export function entityLabels(prediction: TokenPrediction, names: ClassNames, ...extra: readonly unknown[]): EntityRows {
  refuseArguments(extra, 'entityLabels()')
  const { labels } = prediction
  const classes = classesOf(prediction)
  const [rows, length] = labels.dims as readonly [number, number]
  const nameOf = (id: number, side: string, row: number, token: number): string => {
    const name = (names as Readonly<Record<number, string>>)[id]
    if (typeof name === 'string') return name
    throw new TrainerError(
      'data',
      `entityLabels(): token ${token} of row ${row} of the ${side} is ${id}, which has no name.`,
      {
        fix: `Names were given for ${Object.keys(names).join(', ') || 'no classes'}; model.config.id2label has all.`,
      },
    )
  }
  const sides: { predictions: string[][]; references: string[][] } = { predictions: [], references: [] }
  for (let row = 0; row < rows; row++) {
    const counted = Array.from({ length }, (_, token) => token).filter(
      token => Number(labels.data[row * length + token]) !== ignoredIndex,
    )
    const read = (from: Tensor, side: string): string[] =>
      counted.map(token => nameOf(Number(from.data[row * length + token]), side, row, token))
    sides.predictions.push(read(classes, 'predictions'))
    sides.references.push(read(labels, 'labels'))
  }
  return sides
}

/** Names of classes in order, or by their numbers. */
export type ClassNames = readonly string[] | Readonly<Record<number, string>>

function classesOf({ predictions, labels }: TokenPrediction): Tensor {
  for (const [name, given] of Object.entries({ predictions, labels }))
    if (!((given as unknown) instanceof Tensor))
      throw new TrainerError('argument', `entityLabels(): ${name} should be a tensor, not ${shown(given)}.`, {
        fix: 'Give it what computeMetrics gets; Tensor.from makes one of lists.',
      })
  const fits = labels.dims.length === 2 && labels.dims.every((size, axis) => predictions.dims[axis] === size)
  if (fits && predictions.dims.length === 2) return predictions
  if (fits && predictions.dims.length === 3) return predictions.argmax(-1)
  const [given, wanted] = [predictions, labels].map(({ dims }) => `[${dims.join(', ')}]`)
  throw new TrainerError('data', `entityLabels(): the predictions have the shape ${given}, and the labels ${wanted}.`, {
    fix: 'Of a model of tokens they are [rows, length, classes] and [rows, length].',
  })
}
