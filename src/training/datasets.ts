import { Dataset } from '../data/dataset'
import { quoted, TrainerError } from '../errors'
import { labelColumn } from '../labelColumn'
import type { TrainingArguments } from '../TrainingArguments'
import type { EvalData, TrainData } from './options'

/** Whether this is several datasets by name. */
export function isDatasets(dataset: EvalData): dataset is Readonly<Record<string, TrainData>> {
  if (
    dataset instanceof Dataset ||
    Array.isArray(dataset) ||
    Symbol.iterator in dataset ||
    Symbol.asyncIterator in dataset
  )
    return false
  return !('length' in dataset && 'get' in dataset)
}

/**
 * One of several evaluation sets by its name; without a name, the evaluation set itself.
 * @throws TrainerError when there is none.
 */
export function datasetNamed(datasets: EvalData | undefined, name: string | undefined): EvalData {
  if (datasets === undefined) {
    throw new TrainerError('argument', 'There is nothing to evaluate on.', {
      fix: 'Give evalDataset to the Trainer or to evaluate().',
    })
  }
  const several = isDatasets(datasets)
  if (name === undefined && !several) return datasets
  const found = name !== undefined && several ? datasets[name] : undefined
  if (found !== undefined) return found
  const names = several ? quoted(Object.keys(datasets)) : 'none'
  const problem =
    name === undefined
      ? 'There are several evaluation datasets, and none was named.'
      : `There is no evaluation dataset named "${name}".`
  throw new TrainerError('argument', problem, {
    fix: several ? `The names are ${names}.` : 'Give evalDataset as an object of datasets by name.',
  })
}

/** What to do about a label that does not fit in rows that are only predicted. */
export function adviceWithoutLabels(dataset: TrainData, { labelNames }: TrainingArguments): string {
  const column = dataset instanceof Dataset ? labelColumn(dataset.columnNames, labelNames) : undefined
  const without =
    column === undefined ? 'leave the label out of the rows' : `predict(dataset.removeColumns('${column}'))`
  return `To predict, rows need no labels: ${without}.`
}
