import type { Optimizer } from './Optimizer'
import { withDefaults } from '../options'

/** Options of {@link lion}, each with its default. */
export interface LionOptions {
  readonly beta1?: number // 0.9
  readonly beta2?: number // 0.999, Hugging Face's default: Adam's, not Lion's own 0.99
}

/**
 * Lion (Chen et al. 2023): p ← p (1 - ηλ) - η · sign(β₁m + (1-β₁)g); m ← β₂m + (1-β₂)g.
 *
 * @throws TrainerError (`argument`) for an option that it does not have.
 */
export function lion(options: LionOptions = {}): Optimizer {
  const { beta1, beta2 } = withDefaults(options, { beta1: 0.9, beta2: 0.999 }, 'lion()')
  return {
    name: 'lion',
    init: ({ shape }) => ({ exp_avg: { shape } }),
    update: (graph, { gradient, parameter, slots, scalars }) => {
      const direction = graph.add(graph.mul(slots.exp_avg!, beta1), graph.mul(gradient, 1 - beta1))
      // Sign has no WebGPU kernel
      const sign = graph.where(graph.greater(direction, 0), 1, graph.where(graph.less(direction, 0), -1, 0))
      const decayed = graph.mul(parameter, graph.sub(1, graph.mul(scalars.rate!, scalars.weight_decay!)))
      return {
        parameter: graph.sub(decayed, graph.mul(sign, scalars.rate!)),
        slots: { exp_avg: graph.add(graph.mul(slots.exp_avg!, beta2), graph.mul(gradient, 1 - beta2)) },
      }
    },
  }
}
