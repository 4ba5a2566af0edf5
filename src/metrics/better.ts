/**
 * Whether a metric is strictly better than the best so far. Any number is better than none; NaN never is.
 *
 * The best checkpoint, early stopping and the search of hyperparameters share this rule. Schedules that follow a metric
 * (`optim/metricSchedule`) keep PyTorch's: there the threshold moves the best itself, as a share of it or as a distance,
 * and their rates have to agree with PyTorch's to the last bit.
 */
export function isBetter(value: number, best: number | undefined, greaterIsBetter = false): boolean {
  if (best === undefined) return !Number.isNaN(value)
  return greaterIsBetter ? value > best : value < best
}
