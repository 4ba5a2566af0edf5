// the AdamW of ONNX Runtime Training, as its kernels compute it
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { adamChange, adamw } from '../optim/adamw'
import type { Optimizer } from '../optim/Optimizer'

/** The attributes of an AdamWOptimizer, by its names. */
export interface AdamWAttributes {
  /** β₁ */
  readonly alpha: number
  /** β₂ */
  readonly beta: number
  readonly epsilon: number
  readonly weight_decay: number
  /** Whether moments are corrected for their start at zero: 0 or 1. */
  readonly correct_bias: number
  /** 0 is PyTorch's; 1 is that of Hugging Face's old AdamW, which decays afterwards and has ε beside a root that is not corrected. */
  readonly adam_mode: number
}

/** As the kernels compute with them: of β₂ in float32, 1 - β₂ is apart by 1e-5. */
export function inFloat32(attributes: AdamWAttributes): AdamWAttributes {
  const { alpha, beta, epsilon, weight_decay } = attributes
  return {
    ...attributes,
    alpha: Math.fround(alpha),
    beta: Math.fround(beta),
    epsilon: Math.fround(epsilon),
    weight_decay: Math.fround(weight_decay),
  }
}

/**
 * AdamWOptimizer, with m and v as in `adamw()`. Mode 0, PyTorch's: p ← p (1 - ηλ), then p ← p - η / (1-β₁ᵗ) · m / (√v /
 * √(1-β₂ᵗ) + ε). Mode 1, Hugging Face's: p ← p - η √(1-β₂ᵗ) / (1-β₁ᵗ) · m / (√v + ε), then p ← p - ηλp; without
 * correction of bias both roots are 1.
 */
export function fileAdamw({ alpha, beta, epsilon, weight_decay, correct_bias, adam_mode }: AdamWAttributes): Optimizer {
  const decaysAfterwards = adam_mode === 1
  const decayed = (value: Value, graph: GraphBuilder, kept: Value): Value =>
    weight_decay === 0 ? value : graph.mul(value, kept)
  return {
    ...adamw(),
    scalars(step, rate) {
      const first = correct_bias === 0 ? 1 : 1 - alpha ** step
      const root = correct_bias === 0 ? 1 : Math.sqrt(1 - beta ** step)
      const step_size = decaysAfterwards ? (rate * root) / first : rate / first
      return { step_size, root_correction: decaysAfterwards ? 1 : 1 / root, kept: 1 - rate * weight_decay }
    },
    update(graph, site) {
      const kept = site.scalars.kept!
      const { change, slots } = adamChange(graph, site, { beta1: alpha, beta2: beta, epsilon })
      const parameter = decaysAfterwards
        ? decayed(graph.sub(site.parameter, change), graph, kept)
        : graph.sub(decayed(site.parameter, graph, kept), change)
      return { parameter, slots }
    },
  }
}
