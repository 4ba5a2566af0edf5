// scores of classes against the classes: the area under the ROC curve, as scikit-learn's `roc_auc_score`
import { TrainerError } from '../errors'
import { concatenate } from '../tensor'
import { gather, type GatheringMetric, type GivenRows } from './gather'
import { checkForms, type Form, oneOf, rowWeights } from './options'
import { areaUnderCurve } from './rocCurve'
import { toWeights } from './rows'
import { sum } from './sum'
import { readSide, type Side, type Values } from './values'

/** Options of `loadMetric('roc_auc')`, as scikit-learn has them. */
export interface RocAucOptions {
  /** How the areas of classes or labels become one number; 'macro' by default, null gives the list. */
  readonly average?: 'micro' | 'macro' | 'weighted' | 'samples' | null | undefined
  /** How much each row counts; 1 by default. */
  readonly sampleWeight?: Values | null | undefined
  /** The area up to this share of false positives, scaled so that guessing is 0.5; of two classes and several labels. */
  readonly maxFpr?: number | null | undefined
  /** Needed for more than two classes: each against the rest ('ovr'), or each against each ('ovo'). */
  readonly multiClass?: 'ovr' | 'ovo' | undefined
  /** The classes that the columns of scores are of, in rising order; those among the references by default. */
  readonly labels?: readonly (number | bigint)[] | null | undefined
}

/** What `loadMetric('roc_auc')` compares. Scores may be called `predictionScores`, as in `evaluate`. */
export type RocAucRows =
  | { readonly predictions: Values; readonly references: Values }
  | { readonly predictionScores: Values; readonly references: Values }

/** What a row has: a score, one for each class, or one for each of several labels. */
export type RocAucConfiguration = 'binary' | 'multiclass' | 'multilabel'

interface Scores {
  readonly scores: Float64Array
  readonly references: Float64Array
  /** How many scores a row has. */
  readonly width: number
}

interface Task extends Scores {
  readonly name: string
  readonly rows: number
  readonly weights: Float64Array | undefined
  readonly options: RocAucOptions
}

const isClass = (value: unknown): boolean => Number.isSafeInteger(typeof value === 'bigint' ? Number(value) : value)
const forms: Readonly<Record<string, Form>> = {
  average: oneOf('micro', 'macro', 'weighted', 'samples', null),
  sampleWeight: rowWeights,
  maxFpr: {
    expects: 'above 0 and at most 1, or null',
    holds: value => value === null || (typeof value === 'number' && value > 0 && value <= 1),
  },
  multiClass: oneOf('ovr', 'ovo'),
  labels: {
    expects: 'a list of classes in rising order',
    holds: value =>
      value === null ||
      (Array.isArray(value) &&
        value.every(isClass) &&
        value.every((one, at) => at === 0 || Number(value[at - 1]) < Number(one))),
  },
}

export function rocAucMetric(configuration: RocAucConfiguration): GatheringMetric<{ roc_auc: number | number[] }> {
  const name = configuration === 'binary' ? 'roc_auc' : `roc_auc/${configuration}`
  return gather<Scores, { roc_auc: number | number[] }>({
    name,
    options: Object.keys(forms),
    alias: 'predictionScores',
    checkOptions: given => checkForms(name, given, forms),
    read: (rows, first) => readScores(name, configuration, rows, first),
    compute(batches, options: RocAucOptions) {
      const scores = concatenate(
        Float64Array,
        batches.map(batch => batch.scores),
      )
      const { width } = batches[0]
      const rows = scores.length / width
      const given = options.sampleWeight ?? undefined
      const weights = given && toWeights(name, given, rows)
      const references = concatenate(
        Float64Array,
        batches.map(batch => batch.references),
      )
      const task = { name, scores, references, width, rows, weights, options }
      const compute = { binary: ofTwo, multiclass: ofClasses, multilabel: ofLabels }[configuration]
      return { roc_auc: compute(task) }
    },
  })
}

/** @throws TrainerError for shapes that the configuration does not have, and for what are no scores or classes. */
function readScores(
  name: string,
  configuration: RocAucConfiguration,
  given: GivenRows,
  first: Scores | undefined,
): Scores | undefined {
  const scores = readSide(name, 'predictions', given.predictions as Values)
  const references = readSide(name, 'references', given.references as Values)
  const width = scores.dims[1] ?? 1
  checkShapes(name, configuration, scores, references)
  const row = scores.values.findIndex(value => !Number.isFinite(value))
  if (row >= 0)
    throw new TrainerError(
      'data',
      `${name}: row ${Math.floor(row / width)} of the predictions is ${scores.values[row]}.`,
      {
        fix: 'Check the loss: a run that diverged predicts such numbers. Or leave such rows out.',
      },
    )
  const wrong = references.values.find(value => !Number.isSafeInteger(value))
  if (wrong !== undefined)
    throw new TrainerError('data', `${name}: a reference is ${wrong}, not the number of a class.`)
  if (first !== undefined && first.width !== width)
    throw new TrainerError(
      'data',
      `${name}: a batch has ${width} scores in each row, and an earlier one ${first.width}.`,
      {
        fix: 'Give each batch the same classes in the same order.',
      },
    )
  return references.values.length > 0 ? { scores: scores.values, references: references.values, width } : undefined
}

const shapes: Readonly<Record<RocAucConfiguration, { readonly wanted: string; readonly fix: string }>> = {
  binary: {
    wanted: '[rows] and [rows]',
    fix:
      'Of two classes give the score of the second; of more write ' +
      "loadMetric('roc_auc', 'multiclass'), of several labels in a row loadMetric('roc_auc', 'multilabel').",
  },
  multiclass: {
    wanted: '[rows, classes] and [rows]',
    fix: "Give a probability for each of at least three classes; of two, the second one's to loadMetric('roc_auc').",
  },
  multilabel: { wanted: '[rows, labels] and [rows, labels]', fix: 'Give a score, and 0 or 1, for each label.' },
}

function checkShapes(name: string, configuration: RocAucConfiguration, scores: Side, references: Side): void {
  const [a, b] = [scores, references].map(({ dims }) => dims) as [readonly number[], readonly number[]]
  const isColumn = (dims: readonly number[]): boolean => dims.length === 1 || (dims.length === 2 && dims[1] === 1)
  const fits = {
    binary: isColumn(a) && isColumn(b),
    multiclass: a.length === 2 && a[1]! > 2 && isColumn(b),
    multilabel: a.length === 2 && b.length === 2 && a[1] === b[1],
  }[configuration]
  if ((fits || (a[0] === 0 && b[0] === 0)) && a[0] === b[0]) return
  const { wanted, fix } = shapes[configuration]
  const given = `[${a.join(', ')}] and [${b.join(', ')}]`
  throw new TrainerError(
    'data',
    `${name}: predictions and references should have the shapes ${wanted}, not ${given}.`,
    {
      fix,
    },
  )
}

/** The greater of two classes is the one that is scored. */
function ofTwo({ name, scores, references, weights, options }: Task): number {
  const classes = [...new Set(references)].sort((a, b) => a - b)
  if (classes.length > 2)
    throw new TrainerError('data', `${name}: the references have ${classes.length} classes.`, {
      fix: "Give a probability for each class to loadMetric('roc_auc', 'multiclass').",
    })
  const isPositive = Array.from(references, one => one === classes[1])
  return areaUnderCurve(name, { scores, isPositive, weights }, options.maxFpr ?? 1)
}

function ofLabels(task: Task): number | number[] {
  const { name, references, width } = task
  const wrong = references.find(one => one !== 0 && one !== 1)
  if (wrong !== undefined)
    throw new TrainerError('data', `${name}: a reference is ${wrong}; of labels, 0 or 1 was expected.`, {
      fix: 'Give 1 for each label that a row has, and 0 for the others.',
    })
  if (width === 1) return ofTwo(task)
  return averaged(task, references)
}

/** The areas of columns, rows or of all numbers, of labels or of each class against the rest. */
function averaged({ name, scores, width, rows, weights, options }: Task, indicators: Float64Array): number | number[] {
  const { average = 'macro' } = options
  const areaOf = (places: readonly number[], own: Float64Array | undefined): number =>
    areaUnderCurve(
      name,
      {
        scores: Float64Array.from(places, place => scores[place]!),
        isPositive: places.map(place => indicators[place] === 1),
        weights: own,
      },
      options.maxFpr ?? 1,
    )
  const all = Array.from(indicators, (_, place) => place)
  const row = (place: number): number => Math.floor(place / width)
  if (average === 'micro') return areaOf(all, weights && Float64Array.from(all, place => weights[row(place)]!))
  if (average === 'samples') {
    const areas = Array.from({ length: rows }, (_, at) => areaOf(all.slice(at * width, (at + 1) * width), undefined))
    return meanOf(areas, weights)
  }
  const columns = Array.from({ length: width }, (_, column) =>
    Array.from({ length: rows }, (_, at) => at * width + column),
  )
  const support = columns.map(places => sum(places.map(place => indicators[place]! * (weights?.[row(place)] ?? 1))))
  if (average === 'weighted' && Math.abs(sum(support)) <= 1e-8) return 0
  const areas = columns.map(places => areaOf(places, weights))
  return average === null ? areas : meanOf(areas, average === 'weighted' ? support : undefined)
}

/** What does not weigh anything does not count, though it be NaN. */
function meanOf(areas: readonly number[], weights: ArrayLike<number> | undefined): number {
  if (weights === undefined) return sum(areas) / areas.length
  return sum(areas.map((area, at) => (weights[at] === 0 ? 0 : area * weights[at]!))) / sum(weights)
}

function ofClasses(task: Task): number | number[] {
  const { name, references, scores, width, rows, options } = task
  const { multiClass, average = 'macro' } = options
  checkOptionsOfClasses(task)
  for (let row = 0; row < rows; row++) {
    const all = sum(scores, row * width, width)
    if (Math.abs(1 - all) <= 1e-8 + 1e-5 * Math.abs(all)) continue
    throw new TrainerError('data', `${name}: the scores of row ${row} add up to ${all}.`, {
      fix: 'Give probabilities, which add up to 1: predictions.softmax() of a Tensor of logits.',
    })
  }
  const classes = options.labels?.map(Number) ?? [...new Set(references)].sort((a, b) => a - b)
  if (classes.length !== width)
    throw new TrainerError('data', `${name}: there are scores of ${width} classes, but ${classes.length} classes.`, {
      fix: 'labels: [0, 1, …] names the class of each column, those without references too.',
    })
  const numbers = Array.from(references, one => classes.indexOf(one))
  if (numbers.includes(-1))
    throw new TrainerError(
      'data',
      `${name}: a reference is ${references[numbers.indexOf(-1)]}, which is not in labels.`,
      {
        fix: 'Name the classes of all columns.',
      },
    )
  if (multiClass === 'ovo') return ofPairs(task, numbers, average === 'weighted')
  const indicators = Float64Array.from(scores, (_, place) =>
    Number(numbers[Math.floor(place / width)] === place % width),
  )
  return averaged(task, indicators)
}

function checkOptionsOfClasses({ name, options: { maxFpr, multiClass, average, sampleWeight } }: Task): void {
  const wrong =
    multiClass === undefined
      ? "multiClass should be 'ovr' (each class against the rest) or 'ovo' (each against each)"
      : (maxFpr ?? 1) !== 1
        ? 'maxFpr is for two classes or several labels'
        : average === 'samples'
          ? "average 'samples' is for several labels"
          : multiClass === 'ovo' && (average === 'micro' || average === null)
            ? `with multiClass 'ovo', average should be 'macro' or 'weighted', not ${average}`
            : multiClass === 'ovo' && (sampleWeight ?? undefined) !== undefined
              ? "sampleWeight is for multiClass 'ovr'"
              : undefined
  if (wrong !== undefined) throw new TrainerError('argument', `${name}: ${wrong}.`)
}

/** The mean over all pairs of classes, each pair scored by either class (Hand and Till 2001). */
function ofPairs({ name, scores, width, rows }: Task, numbers: readonly number[], isWeighted: boolean): number {
  const present = [...new Set(numbers)].sort((a, b) => a - b)
  const areas: number[] = []
  const shares: number[] = []
  for (const [at, one] of present.entries())
    for (const other of present.slice(at + 1)) {
      const places = numbers.flatMap((number, row) => (number === one || number === other ? [row] : []))
      const areaOf = (positive: number): number =>
        areaUnderCurve(name, {
          scores: Float64Array.from(places, row => scores[row * width + positive]!),
          isPositive: places.map(row => numbers[row] === positive),
        })
      areas.push((areaOf(one) + areaOf(other)) / 2)
      shares.push(places.length / rows)
    }
  return meanOf(areas, isWeighted ? shares : undefined)
}
