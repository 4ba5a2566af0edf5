import { TrainerError } from '../errors'
import { withDefaults } from '../options'
import type { Optimizer } from './Optimizer'

/** Options of {@link sgd}, each with its default. */
export interface SgdOptions {
  readonly momentum?: number // 0
  readonly dampening?: number // 0
  readonly nesterov?: boolean // false
}

/**
 * Stochastic gradient descent as PyTorch computes it; weight decay is L2, added to the gradient:
 *
 * g ← g + λp; b ← μb + (1-d)g (the first b is g); p ← p - ηb, or with Nesterov's rule p - η(g + μb).
 *
 * @throws TrainerError when Nesterov's rule is asked for without momentum or with dampening, and for an option that
 * it does not have.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const defaults = { momentum: 0, dampening: 0, nesterov: false }
  const { momentum, dampening, nesterov } = withDefaults(options, defaults, 'sgd()')
  if (nesterov && (momentum <= 0 || dampening !== 0))
    throw new TrainerError('argument', 'Nesterov momentum needs a momentum above 0 and no dampening.')
  return {
    name: 'sgd',
    init: ({ shape }) => (momentum === 0 ? {} : { momentum_buffer: { shape } }),
    scalars: step => ({ fresh: step === 1 ? 1 : 1 - dampening }),
    update: (graph, { gradient, parameter, slots, scalars }) => {
      const decayed = graph.add(gradient, graph.mul(parameter, scalars.weight_decay!))
      if (momentum === 0) return { parameter: graph.sub(parameter, graph.mul(decayed, scalars.rate!)), slots: {} }
      const buffer = graph.add(graph.mul(slots.momentum_buffer!, momentum), graph.mul(decayed, scalars.fresh!))
      const direction = nesterov ? graph.add(decayed, graph.mul(buffer, momentum)) : buffer
      return {
        parameter: graph.sub(parameter, graph.mul(direction, scalars.rate!)),
        slots: { momentum_buffer: buffer },
      }
    },
  }
}
