// the updates of ONNX Runtime Training, as its kernels compute them
import type { Value } from '../onnx/types'
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
export function fileAdamw({
  beta1,
  beta2,
  epsilon,
  weightDecay,
  isCorrected,
  decaysAfterwards,
}: AdamwAttributes): Optimizer {
  return {
    name: 'adamw',
    init: ({ shape }) => ({ exp_avg: { shape }, exp_avg_sq: { shape } }),
    scalars(step, rate) {
      const first = isCorrected ? 1 - beta1 ** step : 1
      const root = isCorrected ? Math.sqrt(1 - beta2 ** step) : 1
      const step_size = decaysAfterwards ? (rate * root) / first : rate / first
      return { step_size, root_correction: decaysAfterwards ? 1 : 1 / root, kept: 1 - rate * weightDecay }
    },
    update(graph, { gradient, parameter, slots, scalars }) {
      const decayed = (value: Value): Value => graph.mul(value, scalars.kept!)
      const first = graph.add(slots.exp_avg!, graph.mul(graph.sub(gradient, slots.exp_avg!), 1 - beta1))
      const second = graph.add(graph.mul(slots.exp_avg_sq!, beta2), graph.mul(graph.mul(gradient, gradient), 1 - beta2))
      const denominator = graph.add(graph.mul(graph.sqrt(second), scalars.root_correction!), epsilon)
      const direction = graph.div(graph.mul(first, scalars.step_size!), denominator)
      const next = decaysAfterwards
        ? decayed(graph.sub(parameter, direction))
        : graph.sub(decayed(parameter), direction)
      return { parameter: next, slots: { exp_avg: first, exp_avg_sq: second } }
    },
  }
}

/** SGDOptimizerV2: p ← p - ηg. */
export function fileSgd(): Optimizer {
  return {
    name: 'sgd',
    init: () => ({}),
    update: (graph, { gradient, parameter, scalars }) => ({
      parameter: graph.sub(parameter, graph.mul(gradient, scalars.rate!)),
      slots: {},
    }),
  }
}
