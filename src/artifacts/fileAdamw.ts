// the AdamW of ONNX Runtime Training, as its kernels compute it
import type { Value } from '../onnx/types'
import { adamChange, adamw } from '../optim/adamw'
import type { Optimizer } from '../optim/Optimizer'

/** The attributes of an AdamWOptimizer. */
interface AdamwAttributes {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  readonly isCorrected: boolean
  /** As in Hugging Face's old AdamW, and with ε beside the root that is not corrected; else as in PyTorch's. */
  readonly decaysAfterwards: boolean
}

/**
 * AdamWOptimizer, with m and v as in `adamw()`. Mode 0, PyTorch's: p ← p (1 - ηλ), then p ← p - η / (1-β₁ᵗ) · m / (√v /
 * √(1-β₂ᵗ) + ε). Mode 1, Hugging Face's: p ← p - η √(1-β₂ᵗ) / (1-β₁ᵗ) · m / (√v + ε), then p ← p - ηλp; without
 * correction of bias both roots are 1.
 */
export function fileAdamw(attributes: AdamwAttributes): Optimizer {
  const { beta1, beta2, weightDecay, isCorrected, decaysAfterwards } = attributes
  return {
    ...adamw(),
    scalars(step, rate) {
      const first = isCorrected ? 1 - beta1 ** step : 1
      const root = isCorrected ? Math.sqrt(1 - beta2 ** step) : 1
      const step_size = decaysAfterwards ? (rate * root) / first : rate / first
      return { step_size, root_correction: decaysAfterwards ? 1 : 1 / root, kept: 1 - rate * weightDecay }
    },
    update(graph, site) {
      const decayed = (value: Value): Value => graph.mul(value, site.scalars.kept!)
      const { change, slots } = adamChange(graph, site, attributes)
      const parameter = decaysAfterwards
        ? decayed(graph.sub(site.parameter, change))
        : graph.sub(decayed(site.parameter), change)
      return { parameter, slots }
    },
  }
}
