import type { GraphBuilder } from '../onnx/builder'
import { withDefaults } from '../options'
import type { Value } from '../onnx/types'
import type { Optimizer } from './Optimizer'

/** Options of {@link rmsprop}, each with its default. */
export interface RmspropOptions {
  readonly alpha?: number // 0.99
  readonly epsilon?: number // 1e-8
  readonly momentum?: number // 0
  readonly centered?: boolean // false
}

/**
 * RMSprop (Hinton 2012) as PyTorch computes it: g ← g + λp; v ← αv + (1-α)g²; p ← p - ηg / (√v + ε).
 *
 * Centred: v - ā² under the root, where ā ← αā + (1-α)g. With momentum: b ← μb + g / (√v + ε); p ← p - ηb.
 *
 * @throws TrainerError (`argument`) for an option that it does not have.
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const defaults = { alpha: 0.99, epsilon: 1e-8, momentum: 0, centered: false }
  const { alpha, epsilon, momentum, centered } = withDefaults(options, defaults, 'rmsprop()')
  const average = (graph: GraphBuilder, old: Value, now: Value): Value =>
    graph.add(graph.mul(old, alpha), graph.mul(now, 1 - alpha))
  return {
    name: 'rmsprop',
    init: ({ shape }) => ({
      square_avg: { shape },
      ...(momentum > 0 && { momentum_buffer: { shape } }),
      ...(centered && { grad_avg: { shape } }),
    }),
    update: (graph, { gradient, parameter, slots, scalars }) => {
      const decayed = graph.add(gradient, graph.mul(parameter, scalars.weight_decay!))
      const square = average(graph, slots.square_avg!, graph.mul(decayed, decayed))
      const mean = centered ? average(graph, slots.grad_avg!, decayed) : undefined
      const variance = mean === undefined ? square : graph.sub(square, graph.mul(mean, mean))
      const direction = graph.div(decayed, graph.add(graph.sqrt(variance), epsilon))
      const buffer = momentum > 0 ? graph.add(graph.mul(slots.momentum_buffer!, momentum), direction) : undefined
      return {
        parameter: graph.sub(parameter, graph.mul(buffer ?? direction, scalars.rate!)),
        slots: { square_avg: square, ...(buffer && { momentum_buffer: buffer }), ...(mean && { grad_avg: mean }) },
      }
    },
  }
}
