import type { Optimizer } from './Optimizer'
import { withDefaults } from '../options'

/** Options of {@link adagrad}, each with its default. */
export interface AdagradOptions {
  readonly lrDecay?: number // 0
  readonly initialAccumulatorValue?: number // 0
  readonly epsilon?: number // 1e-10
}

/**
 * Adagrad (Duchi, Hazan & Singer 2011) as PyTorch computes it:
 *
 * g ← g + λp; G ← G + g²; p ← p - η / (1 + (t-1) · decay) · g / (√G + ε).
 *
 * @throws TrainerError (`argument`) for an option that it does not have.
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const defaults = { lrDecay: 0, initialAccumulatorValue: 0, epsilon: 1e-10 }
  const { lrDecay, initialAccumulatorValue, epsilon } = withDefaults(options, defaults, 'adagrad()')
  return {
    name: 'adagrad',
    init: ({ shape }) => ({ sum: { shape, fill: initialAccumulatorValue } }),
    scalars: (step, rate) => ({ step_size: rate / (1 + (step - 1) * lrDecay) }),
    update: (graph, { gradient, parameter, slots, scalars }) => {
      const decayed = graph.add(gradient, graph.mul(parameter, scalars.weight_decay!))
      const sum = graph.add(slots.sum!, graph.mul(decayed, decayed))
      const step = graph.div(graph.mul(decayed, scalars.step_size!), graph.add(graph.sqrt(sum), epsilon))
      return { parameter: graph.sub(parameter, step), slots: { sum } }
    },
  }
}
