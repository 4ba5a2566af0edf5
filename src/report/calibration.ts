/** What a model's confidence comes to in one range of it. */
export interface CalibrationBin {
  /** Confidences above it, up to {@link high}. */
  readonly low: number
  readonly high: number
  readonly count: number
  /** The mean confidence, and the share of predictions that are right; NaN of an empty bin. */
  readonly confidence: number
  readonly accuracy: number
}

/** How far probabilities can be believed. */
export interface Calibration {
  readonly bins: readonly CalibrationBin[]
  /** The expected calibration error, from 0 to 1. */
  readonly error: number
}

/**
 * The expected calibration error, ECE = Σₘ |Bₘ| / n · |acc(Bₘ) − conf(Bₘ)|: confidences are dealt out to `count` bins of
 * equal width, Bₘ = ((m − 1) / M, m / M]; acc is the share of a bin's predictions that are right, conf their mean confidence.
 * Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, 2017, https://arxiv.org/abs/1706.04599,
 * equations 2 and 3, with their 15 bins.
 * @param confidences the probability of the class that is predicted.
 * @param right whether that is the true one, 1 or 0.
 */
export function calibrationOf(confidences: ArrayLike<number>, right: ArrayLike<number>, count = 15): Calibration {
  const sums = Array.from({ length: count }, () => ({ rows: 0, confidence: 0, right: 0 }))
  for (let row = 0; row < confidences.length; row++) {
    const confidence = confidences[row]!
    if (Number.isNaN(confidence)) continue
    const bin = sums[Math.min(count - 1, Math.max(0, Math.ceil(confidence * count) - 1))]!
    bin.rows++
    bin.confidence += confidence
    bin.right += right[row]!
  }
  const all = sums.reduce((sum, { rows }) => sum + rows, 0)
  const error = sums.reduce((sum, bin) => sum + Math.abs(bin.right - bin.confidence), 0) / all
  const bins = sums.map(({ rows, ...sum }, at) => ({
    low: at / count,
    high: (at + 1) / count,
    count: rows,
    confidence: sum.confidence / rows,
    accuracy: sum.right / rows,
  }))
  return { bins, error }
}
