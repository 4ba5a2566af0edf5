import type { Optimizer } from './Optimizer'
import { withDefaults } from '../options'

/** Options of {@link adamw}, each with its default. */
export interface AdamWOptions {
  readonly beta1?: number // 0.9
  readonly beta2?: number // 0.999
  readonly epsilon?: number // 1e-8
}

/**
 * AdamW (Loshchilov & Hutter 2017), as PyTorch computes it; λ is the decoupled weight decay, η the rate, t counts from
 * 1:
 *
 * p ← p (1 - ηλ); m ← β₁m + (1-β₁)g; v ← β₂v + (1-β₂)g²; p ← p - η / (1-β₁ᵗ) · m / (√v / √(1-β₂ᵗ) + ε)
 *
 * @throws TrainerError (`argument`) for an option that it does not have.
 */
export function adamw(options: AdamWOptions = {}): Optimizer {
  const { beta1, beta2, epsilon } = withDefaults(options, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, 'adamw()')
  return {
    name: 'adamw',
    init: ({ shape }) => ({ exp_avg: { shape }, exp_avg_sq: { shape } }),
    scalars: (step, rate) => ({
      step_size: rate / (1 - beta1 ** step),
      root_correction: 1 / Math.sqrt(1 - beta2 ** step),
    }),
    update: (graph, { gradient, parameter, slots, scalars }) => {
      const decayed = graph.mul(parameter, graph.sub(1, graph.mul(scalars.rate!, scalars.weight_decay!)))
      const first = graph.add(slots.exp_avg!, graph.mul(graph.sub(gradient, slots.exp_avg!), 1 - beta1))
      const second = graph.add(graph.mul(slots.exp_avg_sq!, beta2), graph.mul(graph.mul(gradient, gradient), 1 - beta2))
      const denominator = graph.add(graph.mul(graph.sqrt(second), scalars.root_correction!), epsilon)
      return {
        parameter: graph.sub(decayed, graph.div(graph.mul(first, scalars.step_size!), denominator)),
        slots: { exp_avg: first, exp_avg_sq: second },
      }
    },
  }
}
