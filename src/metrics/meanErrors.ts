import { TrainerError } from '../errors'
import type { MetricDefinition } from './definition'
import type { MetricOptions } from './options'
import type { Rows } from './values'

/** The mean of |prediction − reference|, key `mae`. */
export const meanAbsoluteError = {
  compares: 'finite numbers',
  options: ['sampleWeight', 'multioutput'],
  several: 'multilist',
  compute(rows, { multioutput }, metric) {
    return { mae: averageOutputs(metric, meanOfColumns(rows, Math.abs), multioutput) }
  },
} as const satisfies MetricDefinition

/** The mean of (prediction − reference)², key `mse`; with `squared: false` its root, of each output before their mean. */
export const meanSquaredError = {
  compares: 'finite numbers',
  options: ['sampleWeight', 'multioutput', 'squared'],
  several: 'multilist',
  compute(rows, { multioutput, squared = true }, metric) {
    const means = meanOfColumns(rows, difference => difference ** 2)
    return { mse: averageOutputs(metric, squared ? means : means.map(Math.sqrt), multioutput) }
  },
} as const satisfies MetricDefinition

/** The mean over rows of what `cost` makes of each difference, for every value that a row has. */
function meanOfColumns(
  { predictions, references, width, weights }: Rows,
  cost: (difference: number) => number,
): number[] {
  const sums = new Array<number>(width).fill(0)
  let all = 0
  for (let row = 0; row < predictions.length / width; row++) {
    const weight = weights?.[row] ?? 1
    all += weight
    for (let column = 0; column < width; column++) {
      const at = row * width + column
      sums[column]! += weight * cost(predictions[at]! - references[at]!)
    }
  }
  return sums.map(sum => sum / all)
}

/** @throws TrainerError (`argument`) for weights that are not one for each of several outputs, or that add up to 0. */
function averageOutputs(
  metric: string,
  outputs: number[],
  multioutput: MetricOptions['multioutput'] = 'uniform_average',
): number | number[] {
  if (multioutput === 'raw_values') return outputs
  if (multioutput === 'uniform_average') return outputs.reduce((sum, value) => sum + value, 0) / outputs.length
  const total = multioutput.reduce((sum, weight) => sum + weight, 0)
  if (multioutput.length === outputs.length && outputs.length > 1 && total !== 0)
    return outputs.reduce((sum, value, i) => sum + value * multioutput[i]!, 0) / total
  if (multioutput.length === outputs.length && outputs.length > 1)
    throw new TrainerError('argument', `${metric}: multioutput is [${multioutput.join(', ')}], which adds up to 0.`, {
      fix: "Give weights with another sum, or 'uniform_average'.",
    })
  const has = outputs.length === 1 ? 'one value each' : `${outputs.length} values each`
  throw new TrainerError('argument', `${metric}: multioutput is [${multioutput.join(', ')}], but rows have ${has}.`, {
    fix: "Give one weight for each of several values, or 'uniform_average'.",
  })
}
