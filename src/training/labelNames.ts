import type { PreTrainedModel } from '../auto/PreTrainedModel'
import { Dataset } from '../data/dataset'
import { withLabels } from '../models/config'

/**
 * Gives a model whose labels are only numbered (LABEL_0, …) the names of the classes that the dataset's label column
 * has, so that what is saved says them. Names of one's own stay.
 */
export function adoptLabelNames(model: PreTrainedModel, dataset: unknown): void {
  if (!(dataset instanceof Dataset)) return
  const { features } = dataset
  const names = (features.label ?? features.labels)?.names
  const numbered = Object.entries(model.config.id2label ?? {}).every(([id, name]) => name === `LABEL_${id}`)
  if (names !== undefined && numbered && names.length === model.numLabels)
    model.config = withLabels(model.config, { id2label: names })
}
