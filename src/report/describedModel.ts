import { TrainableModel } from '../auto/TrainableModel'
import type { ReportedModel } from './Report'

/** What the page says of a model. */
export function describedModel(model: unknown): ReportedModel | undefined {
  if (!(model instanceof TrainableModel)) return undefined
  const { name, head } = model.definition
  return {
    name,
    source: model.repository ?? model.nameOrPath,
    parameters: model.numParameters(),
    trained: model.numParameters({ onlyTrainable: true }),
    task: head.task,
  }
}
