// both sides of a metric → rows that it can compare
import { TrainerError } from '../errors'
import { Tensor } from '../tensor'
import type { Compared } from './definition'
import { readSide, type Rows, type Side, type Values } from './values'

/**
 * Both sides as numbers.
 * @throws TrainerError (`data`) when they differ in shape, do not have what the metric compares in each row, or hold
 * what it cannot compare.
 */
export function toRows(metric: Compared, predictions: Values, references: Values): Rows {
  const { name } = metric
  const sides = {
    predictions: readSide(name, 'predictions', predictions),
    references: readSide(name, 'references', references),
  }
  checkShapes(metric, sides, !(predictions instanceof Tensor))
  for (const [side, { values, dims }] of Object.entries(sides)) checkNumbers(metric, side, values, dims[1] ?? 1)
  const [rows, given] = [sides.predictions.dims[0]!, sides.references.dims[0]!]
  if (rows !== given) throw unequalRows(name, rows, given)
  const width = sides.predictions.dims[1] ?? 1
  if (width !== (sides.references.dims[1] ?? 1)) {
    const [a, b] = [sides.predictions, sides.references].map(({ dims }) => `[${dims.join(', ')}]`)
    throw new TrainerError('data', `${name}: the predictions have the shape ${a}, and the references ${b}.`, {
      fix: 'Give both the same labels in the same order.',
    })
  }
  return { predictions: sides.predictions.values, references: sides.references.values, width }
}

/** The error for sides of different lengths. */
export function unequalRows(where: string, predictions: number, references: number): TrainerError {
  return new TrainerError('data', `${where}: there are ${predictions} predictions for ${references} references.`, {
    fix: 'Give one prediction for each reference, in the same order.',
  })
}

/**
 * The weights of rows as numbers.
 * @throws TrainerError (`data`) unless there is one finite number for each row, and they do not add up to 0.
 */
export function toWeights(metric: string, given: Values, rows: number): Float64Array {
  const { values, dims } = readSide(metric, 'sampleWeight', given)
  const wrong =
    dims.length > 1 && dims[1] !== 1
      ? `has the shape [${dims.join(', ')}]`
      : values.length !== rows
        ? `has ${values.length} numbers for ${rows} rows`
        : !values.every(Number.isFinite)
          ? `has ${values.find(value => !Number.isFinite(value))}`
          : values.every(value => value === 0)
            ? 'has zeros alone'
            : values.reduce((sum, value) => sum + value, 0) === 0
              ? 'adds up to 0'
              : undefined
  if (wrong === undefined) return values
  throw new TrainerError('data', `${metric}: sampleWeight ${wrong}.`, {
    fix: 'Give one finite number for each row, in its order, with a sum other than 0; over all batches, where addBatch was called.',
  })
}

/** @throws TrainerError (`data`) for a value that the metric cannot compare, with its row. */
function checkNumbers(metric: Compared, side: string, values: Float64Array, width: number): void {
  const { name, definition } = metric
  const { compares } = definition
  if (compares === 'numbers') return
  const fits = compares === 'classes' ? Number.isSafeInteger : Number.isFinite
  const wrong = values.findIndex(value => !fits(value))
  if (wrong < 0) return
  const what = compares === 'classes' ? 'the number of a class' : 'a finite number'
  const row = Math.floor(wrong / width)
  throw new TrainerError('data', `${name}: row ${row} of the ${side} is ${values[wrong]}, not ${what}.`, {
    fix: numberAdvice(metric, side, values[wrong]!),
  })
}

function numberAdvice({ several }: Compared, side: string, value: number): string {
  if (!Number.isFinite(value))
    return 'Check the loss: a run that diverged predicts such numbers. Or leave such rows out.'
  if (Number.isInteger(value)) return 'Beyond 2⁵³ numbers are not exact: number the classes from 0.'
  if (several && side === 'predictions') return thresholds
  if (side === 'predictions')
    return (
      'If these are probabilities of class 1, say from where on it counts: predictions.greater(0.5) of a Tensor, ' +
      'predictions.map(p => Number(p > 0.5)) of a list.'
    )
  return "Classes are whole numbers; 'mse', 'mae', 'pearsonr' and 'spearmanr' compare other numbers."
}

const thresholds =
  'If these are logits or probabilities, say from where on a label counts: predictions.greater(0) of a Tensor of ' +
  'logits, greater(0.5) of probabilities; of lists predictions.map(row => row.map(logit => Number(logit > 0))).'

/** @throws TrainerError (`data`) unless all values are 0 or 1: labels that a row has or has not. */
export function checkIndicators(metric: string, { predictions, references, width }: Rows): void {
  for (const [side, values] of Object.entries({ predictions, references })) {
    const wrong = values.findIndex(value => value !== 0 && value !== 1)
    if (wrong < 0) continue
    const row = Math.floor(wrong / width)
    throw new TrainerError(
      'data',
      `${metric}: row ${row} of the ${side} has ${values[wrong]}; of labels, 0 or 1 was expected.`,
      {
        fix: side === 'predictions' ? thresholds : 'Give 1 for each label that a row has, and 0 for the others.',
      },
    )
  }
}

/** @throws TrainerError (`data`) for sides that do not have as many values in a row as the metric compares. */
function checkShapes(metric: Compared, sides: Readonly<Record<'predictions' | 'references', Side>>, isList: boolean) {
  const { name, several } = metric
  const fits = ({ dims }: Side): boolean =>
    dims[0] === 0 || (several ? dims.length === 2 : dims.length === 1 || (dims.length === 2 && dims[1] === 1))
  for (const side of ['predictions', 'references'] as const) {
    if (fits(sides[side])) continue
    const wanted = several ? '[rows, labels]' : '[rows] or [rows, 1]'
    throw new TrainerError(
      'data',
      `${name}: ${side} should have the shape ${wanted}, not [${sides[side].dims.join(', ')}].`,
      { fix: shapeAdvice(metric, sides, side, isList) },
    )
  }
}

function shapeAdvice(
  { name, definition, several }: Compared,
  { predictions, references }: Readonly<Record<'predictions' | 'references', Side>>,
  side: 'predictions' | 'references',
  isList: boolean,
): string {
  const [plain] = name.split('/') as [string]
  if (several && (predictions.dims.length === 1 || references.dims.length === 1))
    return `Give a list for each row; of one value in a row, loadMetric('${plain}').`
  if (predictions.dims.length > 2 || references.dims.length > 2)
    return 'Give a row for each example, without further axes.'
  if (references.dims.length === 2 && references.dims[1] !== 1) {
    if (definition.several !== undefined) {
      const own = `For several values in a row write loadMetric('${plain}', '${definition.several}').`
      return definition.several === 'multilabel' ? `${own} ${thresholds}` : own
    }
    return definition.compares === 'classes'
      ? `It compares one class for each row; of several labels, loadMetric('f1', 'multilabel') does. ${thresholds}`
      : 'Give it one column after another.'
  }
  if (definition.compares === 'classes')
    return isList
      ? `If these are logits, take the class first: Tensor.from('float32', ${side}).argmax(-1).`
      : `If these are logits, take the class first: ${side}.argmax(-1).`
  return 'Give one number for each row, as a head with numLabels: 1 predicts it.'
}
