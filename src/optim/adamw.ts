import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { withDefaults } from '../options'
import type { Optimizer, Updated, UpdateSite } from './Optimizer'

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
    update: (graph, site) => {
      const decayed = graph.mul(site.parameter, graph.sub(1, graph.mul(site.scalars.rate!, site.scalars.weight_decay!)))
      const { change, slots } = adamChange(graph, site, { beta1, beta2, epsilon })
      return { parameter: graph.sub(decayed, change), slots }
    },
  }
}

/** What Adam takes from a parameter, and its slots after that: of scalars it reads `step_size` and `root_correction`. */
export function adamChange(
  graph: GraphBuilder,
  { gradient, slots, scalars }: UpdateSite,
  { beta1, beta2, epsilon }: Required<AdamWOptions>,
): { readonly change: Value; readonly slots: Updated['slots'] } {
  const first = graph.add(slots.exp_avg!, graph.mul(graph.sub(gradient, slots.exp_avg!), 1 - beta1))
  const second = graph.add(graph.mul(slots.exp_avg_sq!, beta2), graph.mul(graph.mul(gradient, gradient), 1 - beta2))
  const denominator = graph.add(graph.mul(graph.sqrt(second), scalars.root_correction!), epsilon)
  const change = graph.div(graph.mul(first, scalars.step_size!), denominator)
  return { change, slots: { exp_avg: first, exp_avg_sq: second } }
}
