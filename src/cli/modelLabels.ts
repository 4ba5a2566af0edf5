// a column of labels → the numbers that the classes of a trained model have
import { type Dataset, type PreTrainedModel, TrainerError } from '../index'
import { type Labels, namedValues, readLabels, type RowLabel, type RowTask } from './train/labels'

/** What a model was trained to give. */
export function taskOfModel({ config, numLabels }: PreTrainedModel): RowTask {
  if (config.problem_type === 'multi_label_classification') return 'multi-label-classification'
  return config.problem_type === 'regression' || numLabels === 1 ? 'regression' : 'text-classification'
}

/** The names of a model's classes, in the order of their numbers. */
export function namesOfModel({ config, numLabels }: PreTrainedModel): string[] {
  const names = (config.id2label ?? {}) as Readonly<Record<string, string>>
  return Array.from({ length: numLabels }, (_, id) => names[id] ?? `LABEL_${id}`)
}

/**
 * Reads labels as a model's: its names of classes, or their numbers where all rows have those.
 * @throws TrainerError ('data') naming the row of a class that the model does not have.
 */
export function labelsOfModel(model: PreTrainedModel, rows: Dataset, columns: readonly string[]): Labels {
  const task = taskOfModel(model)
  if (task === 'regression') return readLabels(rows, columns, task)
  const names = namesOfModel(model)
  if (task === 'multi-label-classification') return severalOf(readLabels(rows, columns, task), names)
  if (columns.length > 1)
    throw new TrainerError('data', `The model gives each row one class, but ${columns.length} columns are named.`, {
      fix: 'Name one with --label.',
    })
  const of = (other: Dataset, place: string): RowLabel[] => numbersOf(other, columns[0]!, names, place)
  return { task, names, why: undefined, of }
}

function numbersOf(rows: Dataset, column: string, names: readonly string[], place: string): RowLabel[] {
  const values = namedValues(rows, column)
  const foreign = (value: string | undefined): boolean => value !== undefined && !names.includes(value)
  const wrong = values.findIndex(foreign)
  if (wrong < 0) return values.map(value => (value === undefined ? undefined : names.indexOf(value)))
  const isNumber = (value: string | undefined): boolean =>
    value === undefined || (/^\d+$/.test(value) && Number(value) < names.length)
  if (values.every(isNumber)) return values.map(value => (value === undefined ? undefined : Number(value)))
  throw new TrainerError(
    'data',
    `Row ${wrong + 1} of ${place} has '${values[wrong]}' in '${column}', which the model has no class for; its classes are ${names.join(', ')}.`,
    { fix: 'Is it the column of the labels? --label names another.' },
  )
}

/** Rows of several classes, in the order that the model has these in. */
function severalOf(labels: Labels, names: readonly string[]): Labels {
  const foreign = labels.names.find(name => !names.includes(name))
  if (foreign !== undefined)
    throw new TrainerError('data', `The model has no class '${foreign}'; its classes are ${names.join(', ')}.`, {
      fix: '--label names the columns of the labels.',
    })
  const places = names.map(name => labels.names.indexOf(name))
  return {
    ...labels,
    names,
    of: (rows, place) =>
      labels
        .of(rows, place)
        .map(label => (label === undefined ? undefined : places.map(at => (label as readonly number[])[at] ?? 0))),
  }
}
