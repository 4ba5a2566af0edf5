// metrics that compare numbers row by row
import { TrainerError } from '../errors'
import { concatenate } from '../tensor'
import type { LoadedMetric, MetricValues } from './definition'
import { gather, type GatheringMetric } from './gather'
import { checkMetricOptions, type MetricOptions } from './options'
import { toRows, toWeights } from './rows'
import type { Rows, Values } from './values'

/** The metric of a definition. */
export function rowMetric(metric: LoadedMetric): GatheringMetric<MetricValues> {
  const { name, definition } = metric
  return gather<Rows, MetricValues>({
    name,
    options: definition.options,
    checkOptions: given => checkMetricOptions(name, given, definition.options),
    read({ predictions, references }, first) {
      const rows = toRows(metric, predictions as Values, references as Values)
      if (first !== undefined) checkWidth(name, rows, first)
      return rows.predictions.length > 0 ? rows : undefined
    },
    compute(batches, options: MetricOptions) {
      const rows = joinRows(batches)
      const given = options.sampleWeight ?? undefined
      const weights = given && toWeights(name, given, rows.predictions.length / rows.width)
      return definition.compute({ ...rows, weights }, options, name, metric.several)
    },
  })
}

function checkWidth(name: string, rows: Rows, first: Rows): void {
  if (rows.width === first.width) return
  throw new TrainerError(
    'data',
    `${name}: a batch has ${rows.width} values in each row, and an earlier one ${first.width}.`,
    { fix: 'Give each batch the same labels in the same order.' },
  )
}

function joinRows(batches: readonly [Rows, ...Rows[]]): Rows {
  return {
    predictions: concatenate(
      Float64Array,
      batches.map(batch => batch.predictions),
    ),
    references: concatenate(
      Float64Array,
      batches.map(batch => batch.references),
    ),
    width: batches[0].width,
  }
}
