/**
 * What gradients are multiplied by so that their norm is at most `maxNorm`: PyTorch's `clip_grad_norm_`. 1 when
 * `maxNorm` is not above 0.
 */
export function clipCoefficient(norm: number, maxNorm: number): number {
  return maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1
}
