import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { checkOptions, refuseArguments } from '../options'
import { chosenClasses, type ClassLabel, type ClassLabels, readClasses } from './classLabels'
import { gather, type GatheringMetric } from './gather'
import { checkForms, type Form, oneOf, rowWeights } from './options'
import { Tensor } from '../tensor'
import type { Values } from './values'

/** Options of {@link confusionMatrix}, as scikit-learn has them. */
export interface ConfusionMatrixOptions {
  /** The classes of rows and columns, in their order; all that occur by default. Rows of other classes do not count. */
  readonly labels?: readonly ClassLabel[] | null | undefined
  /** Shares instead of numbers: of each true class ('true'), of each predicted one ('pred'), of all; none by default. */
  readonly normalize?: 'true' | 'pred' | 'all' | null | undefined
  /** How much each row counts; 1 by default. */
  readonly sampleWeight?: Values | null | undefined
}

/** The rows of `loadMetric('confusion_matrix')`. */
export interface ClassPairs {
  readonly predictions: ClassLabels
  readonly references: ClassLabels
}

const forms: Readonly<Record<string, Form>> = {
  labels: chosenClasses,
  normalize: oneOf('true', 'pred', 'all', null),
  sampleWeight: rowWeights,
}

/**
 * How often each class (a row) is predicted as each class (a column), as scikit-learn's `confusion_matrix`.
 * @param references the classes of rows, as numbers, texts or booleans.
 * @throws TrainerError (`data`) without rows, for sides of different lengths, for several labels in a row, and where
 * none of `labels` is among the references.
 * @example
 * confusionMatrix(['cat', 'dog', 'dog'], ['cat', 'cat', 'dog']) // [[1, 0], [1, 1]]
 */
export function confusionMatrix(
  references: ClassLabels,
  predictions: ClassLabels,
  options?: ConfusionMatrixOptions,
): number[][]
export function confusionMatrix(
  references: ClassLabels,
  predictions: ClassLabels,
  options: ConfusionMatrixOptions = {},
  ...extra: readonly unknown[]
): number[][] {
  const where = 'confusionMatrix()'
  refuseArguments(extra, where)
  checkOptions(options, Object.keys(forms), where)
  checkForms(where, options, forms)
  return matrixOf(where, references, predictions, options)
}

export function confusionMetric(): GatheringMetric<{ readonly confusion_matrix: number[][] }> {
  const name = 'confusion_matrix'
  return gather<ClassPairs, { readonly confusion_matrix: number[][] }>({
    name,
    options: Object.keys(forms),
    checkOptions: given => checkForms(name, given, forms),
    read(rows) {
      const pairs = rows as ClassPairs
      const sides = { predictions: listOf(pairs.predictions), references: listOf(pairs.references) }
      if (sides.predictions.length === 0 && sides.references.length === 0) return undefined
      readClasses(name, sides.references, sides.predictions)
      return sides
    },
    compute(batches, options: ConfusionMatrixOptions) {
      const both = (side: keyof ClassPairs): ClassLabel[] => batches.flatMap(batch => batch[side] as ClassLabel[])
      return { confusion_matrix: matrixOf(name, both('references'), both('predictions'), options) }
    },
  })
}

/** A batch as a list, so that batches of texts can be joined too. */
function listOf(side: ClassLabels): readonly ClassLabel[] {
  if (side instanceof Tensor) return side.tolist() as ClassLabel[]
  return ArrayBuffer.isView(side) ? Array.from(side as unknown as ArrayLike<number>) : (side as readonly ClassLabel[])
}

function matrixOf(
  where: string,
  references: ClassLabels,
  predictions: ClassLabels,
  { labels, normalize, sampleWeight }: ConfusionMatrixOptions,
): number[][] {
  const { rows, several, classes: all, numberOf } = readClasses(where, references, predictions, sampleWeight)
  if (several)
    throw new TrainerError('data', `${where}: rows have ${rows.width} labels each.`, {
      fix: 'It compares one class for each row; of several labels give one column after another.',
    })
  const classes = labels?.map(numberOf) ?? all
  const places = new Map(classes.map((one, place) => [one, place]))
  if (places.size < classes.length)
    throw new TrainerError('argument', `${where}: labels has a class twice: ${labels!.join(', ')}.`, {
      fix: 'Name each class once.',
    })
  if (!rows.references.some(one => places.has(one)))
    throw new TrainerError('data', `${where}: none of labels is among the references.`, {
      fix: 'Give at least one class that occurs there.',
    })
  const matrix = classes.map(() => new Array<number>(classes.length).fill(0))
  for (let row = 0; row < rows.references.length; row++) {
    const [given, predicted] = [places.get(rows.references[row]!), places.get(rows.predictions[row]!)]
    if (given !== undefined && predicted !== undefined) matrix[given]![predicted]! += rows.weights?.[row] ?? 1
  }
  if (matrix.length === 1)
    logOnce('warning', `${where}: a single class occurs; labels: [0, 1] gives the matrix a row for each that there is.`)
  return normalized(matrix, normalize ?? null)
}

function normalized(matrix: number[][], by: 'true' | 'pred' | 'all' | null): number[][] {
  if (by === null) return matrix
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const ofRows = matrix.map(sum)
  const ofColumns = matrix.map((_, column) => sum(matrix.map(row => row[column]!)))
  const all = sum(ofRows)
  // NumPy's nan_to_num: where nothing can be divided is 0
  const divide = (a: number, b: number): number =>
    b !== 0 ? a / b : Number.isNaN(a / b) ? 0 : Math.sign(a) * Number.MAX_VALUE
  return matrix.map((row, r) =>
    row.map((value, c) => divide(value, by === 'true' ? ofRows[r]! : by === 'pred' ? ofColumns[c]! : all)),
  )
}
