import type { ParameterState } from './ParameterState'

/**
 * The seam between devices: makes of this device's gradient sums and their count those of all devices together. On one
 * device there is nothing to add.
 * @returns the count of all, and what sums are multiplied by to be the gradient of the mean loss.
 */
export async function reduceGradients(
  _state: ParameterState,
  count: number,
): Promise<{ count: number; scale: number }> {
  return { count, scale: 1 / count }
}
