import { TrainableModel } from '../auto/TrainableModel'
import type { Head } from '../heads/Head'
import type { ProblemType } from '../heads/problemType'
import { ClassRows } from './ClassRows'
import type { ReportedRows } from './ReportedRows'
import type { Decoder } from './rowTexts'
import { SeveralRows } from './SeveralRows'
import { TokenRows } from './TokenRows'
import { ValueRows } from './ValueRows'

/** Tasks whose rows the report shows; of the others it has curves and metrics. */
const shownTasks: readonly string[] = ['sequence-classification', 'token-classification']

/** Whether the report shows rows of a model. */
export function showsRows(model: unknown): model is TrainableModel {
  return model instanceof TrainableModel && shownTasks.includes(model.definition.head.task)
}

/**
 * What takes the predictions of a model whose labels have decided what it predicts.
 * @param count how many rows of a kind are shown.
 */
export function reportedRowsOf(
  model: TrainableModel,
  count: number,
  decoder: Decoder | undefined,
): ReportedRows | undefined {
  const { head } = model.definition
  const { problemType } = head as Head & { readonly problemType?: ProblemType }
  if (head.width === 0) return undefined
  if (problemType === 'regression') return new ValueRows(head.width, count, decoder)
  const names = classNames(model)
  if (problemType === 'multi_label_classification') return new SeveralRows(names, count, decoder)
  return head.task === 'token-classification'
    ? new TokenRows(names, count, decoder)
    : new ClassRows(names, count, decoder)
}

function classNames(model: TrainableModel): readonly string[] {
  const known = model.classNames
  return Array.from({ length: model.definition.head.width }, (_, at) => known?.[at] ?? String(at))
}
