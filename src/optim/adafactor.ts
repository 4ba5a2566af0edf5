import { TrainerError } from '../errors'
import { withDefaults } from '../options'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Optimizer, UpdateSite } from './Optimizer'

/** Options of {@link adafactor}, each with its default. */
export interface AdafactorOptions {
  readonly epsilon1?: number // 1e-30
  readonly epsilon2?: number // 1e-3
  readonly clipThreshold?: number // 1
  readonly decayRate?: number // -0.8
  readonly beta1?: number | undefined // none
  readonly scaleParameter?: boolean // false, as Hugging Face Trainer passes it
  readonly relativeStep?: boolean // false, likewise
  readonly warmupInit?: boolean // false
}

const defaults = {
  epsilon1: 1e-30,
  epsilon2: 1e-3,
  clipThreshold: 1,
  decayRate: -0.8,
  beta1: undefined as number | undefined,
  scaleParameter: false,
  relativeStep: false,
  warmupInit: false,
}

/**
 * Adafactor (Shazeer & Stern 2018), as Hugging Face computes it. A matrix keeps only the mean squares of its rows and
 * columns, R and C:
 *
 * β₂ = 1 - t^decay; U = g² + ε₁; u = g · rsqrt(R / mean R) ⊗ rsqrt(C);
 *
 * u ← u / max(1, RMS(u) / threshold); p ← p (1 - λρ) - ρu
 *
 * @throws TrainerError when `warmupInit` is asked for without `relativeStep`, and for an option that it does not have.
 */
export function adafactor(options: AdafactorOptions = {}): Optimizer {
  const complete = withDefaults(options, defaults, 'adafactor()')
  const { epsilon1, epsilon2, clipThreshold, decayRate, beta1, scaleParameter, relativeStep, warmupInit } = complete
  if (warmupInit && !relativeStep) throw new TrainerError('argument', 'warmupInit needs relativeStep.')
  return {
    name: 'adafactor',
    init: ({ shape }) => ({
      ...(shape.length >= 2
        ? {
            exp_avg_sq_row: { shape: shape.slice(0, -1) },
            exp_avg_sq_col: { shape: [...shape.slice(0, -2), shape.at(-1)!] },
          }
        : { exp_avg_sq: { shape } }),
      ...(beta1 !== undefined && { exp_avg: { shape } }),
    }),
    scalars: (step, rate) => ({
      beta2: 1 - step ** decayRate,
      step_size: relativeStep ? Math.min(warmupInit ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step)) : rate,
    }),
    update: (graph, { gradient, parameter, slots, scalars }) => {
      const average = (old: Value, now: Value): Value =>
        graph.add(graph.mul(old, scalars.beta2!), graph.mul(now, graph.sub(1, scalars.beta2!)))
      const square = graph.add(graph.mul(gradient, gradient), epsilon1)
      const means = meanSquares(graph, square, slots, average)
      const unclipped = graph.mul(gradient, reciprocalRoots(graph, means, gradient.shape.length))
      const direction = graph.div(unclipped, graph.max(graph.div(rootMeanSquare(graph, unclipped), clipThreshold), 1))
      const size = scaleParameter
        ? graph.mul(scalars.step_size!, graph.max(rootMeanSquare(graph, parameter), epsilon2))
        : scalars.step_size!
      const now = graph.mul(direction, size)
      const step = beta1 === undefined ? now : graph.add(graph.mul(slots.exp_avg!, beta1), graph.mul(now, 1 - beta1))
      const decayed = graph.mul(parameter, graph.sub(1, graph.mul(size, scalars.weight_decay!)))
      return {
        parameter: graph.sub(decayed, step),
        slots: { ...means, ...(beta1 !== undefined && { exp_avg: step }) },
      }
    },
  }
}

/** The averages of the squares: of a matrix's rows and columns, else of every element. */
type MeanSquares = { readonly exp_avg_sq_row: Value; readonly exp_avg_sq_col: Value } | { readonly exp_avg_sq: Value }

function meanSquares(
  graph: GraphBuilder,
  square: Value,
  slots: UpdateSite['slots'],
  average: (old: Value, now: Value) => Value,
): MeanSquares {
  const rank = square.shape.length
  if (rank < 2) return { exp_avg_sq: average(slots.exp_avg_sq!, square) }
  return {
    exp_avg_sq_row: average(slots.exp_avg_sq_row!, graph.reduceMean(square, [rank - 1])),
    exp_avg_sq_col: average(slots.exp_avg_sq_col!, graph.reduceMean(square, [rank - 2])),
  }
}

/** rsqrt(R / mean R) ⊗ rsqrt(C), or the reciprocal root of every element's average. */
function reciprocalRoots(graph: GraphBuilder, means: MeanSquares, rank: number): Value {
  if ('exp_avg_sq' in means) return reciprocalRoot(graph, means.exp_avg_sq)
  const { exp_avg_sq_row: rows, exp_avg_sq_col: columns } = means
  const share = graph.div(rows, graph.reduceMean(rows, [rank - 2], true))
  return graph.mul(
    graph.unsqueeze(reciprocalRoot(graph, share), [rank - 1]),
    graph.unsqueeze(reciprocalRoot(graph, columns), [rank - 2]),
  )
}

function reciprocalRoot(graph: GraphBuilder, x: Value): Value {
  return graph.reciprocal(graph.sqrt(x))
}

/** ‖x‖₂ / √size */
function rootMeanSquare(graph: GraphBuilder, x: Value): Value {
  return graph.sqrt(
    graph.reduceMean(
      graph.mul(x, x),
      x.shape.map((_, i) => i),
    ),
  )
}
