import { TrainerError } from '../errors'
import type { GraphBuilder, Operand } from '../onnx/builder'
import { isFloat } from '../onnx/infer'
import type { Value } from '../onnx/types'
import { fastGelu } from './fastGelu'
import type { LoweringTable, Site } from './Lowering'
import { native } from './native'

/** Functions of each element. Where a function bends, its gradient there is PyTorch's: see docs/gradients.md. */
export const elementwise: LoweringTable = {
  // ── activations ──

  LeakyRelu: {
    how: 'x where x > 0, else α x',
    lower: ({ graph: g, input, attributes }) => bent(g, input(0), g.mul(input(0), attributes.float('alpha', 0.01))),
  },
  PRelu: {
    how: 'x where x > 0, else x · slope',
    lower: ({ graph: g, input }) => bent(g, input(0), g.mul(input(0), input(1))),
  },
  ThresholdedRelu: {
    how: 'x where x > α, else 0',
    lower: ({ graph: g, input, attributes }) => g.where(g.greater(input(0), attributes.float('alpha', 1)), input(0), 0),
  },
  Elu: {
    how: 'x where x > 0, else α (exp x - 1)',
    lower: ({ graph: g, input, attributes }) =>
      bent(g, input(0), g.mul(exponential(g, input(0)), attributes.float('alpha', 1))),
  },
  Selu: { how: 'γ Elu(x)', lower: selu },
  Celu: { how: 'x where x > 0, else α (exp (x / α) - 1)', lower: celu },
  Softplus: { how: 'max(x, 0) + log(1 + exp -|x|)', lower: ({ graph, input }) => softplus(graph, input(0)) },
  Softsign: {
    how: 'x / (1 + |x|)',
    lower: ({ graph: g, input }) => g.div(input(0), g.add(g.abs(input(0)), 1)),
  },
  Mish: {
    how: 'x tanh Softplus(x)',
    lower: ({ graph: g, input }) => g.mul(input(0), g.tanh(softplus(g, input(0)))),
  },
  Gelu: { how: 'com.microsoft.Gelu; approximated by tanh: ½ x (1 + tanh √(2/π) (x + 0.044715 x³))', lower: lowerGelu },
  HardSigmoid: { how: 'α x + β between 0 and 1', lower: hardSigmoid },
  HardSwish: {
    how: 'x · (x / 6 + ½ between 0 and 1)',
    lower: ({ graph: g, input }) => g.mul(input(0), between(g, g.add(g.mul(input(0), 1 / 6), 0.5))),
  },
  Shrink: { how: 'x + bias where x < -λ, x - bias where x > λ, else 0', lower: shrink },
  Clip: { how: 'Less, Greater, Where; bounds as attributes or inputs', carries: [0], lower: clip },

  // ── arithmetic ──

  Sum: { how: 'Add', lower: site => chained(site, (a, b) => site.graph.add(a, b)) },
  Mean: { how: 'Add, divided by the number of operands', lower: mean },
  Min: { how: 'Min of two, n - 1 times', lower: site => chained(site, (a, b) => site.graph.min(a, b)) },
  Max: { how: 'Max of two, n - 1 times', lower: site => chained(site, (a, b) => site.graph.max(a, b)) },
  Pow: { how: 'Pow, both operands in the type of the base', carries: [0], lower: pow },
  Mod: { how: 'as it is', carries: [0], lower: native },
  Sign: { how: '1 where x > 0, -1 where x < 0, else 0', carries: [], lower: sign },
  Ceil: { how: '-Floor(-x)', carries: [], lower: ({ graph: g, input }) => g.neg(g.floor(g.neg(input(0)))) },

  // ── truths ──

  IsNaN: { how: 'Not(x = x)', carries: [], lower: ({ graph: g, input }) => g.not(g.equal(input(0), input(0))) },
  IsInf: { how: '|x| = ∞, or x = ∞, x = -∞', carries: [], lower: isInf },
  Or: { how: 'not (not a and not b)', lower: ({ graph, input }) => either(graph, input(0), input(1)) },
  Xor: {
    how: '(a or b) and not (a and b)',
    lower: ({ graph: g, input }) => g.and(either(g, input(0), input(1)), g.not(g.and(input(0), input(1)))),
  },
}

/** Sign, which WebGPU has no kernel for. */
function sign({ graph: g, input }: Site): Value {
  const [one, none] = [1, 0].map(number => g.constant(number, input(0).dtype)) as [Value, Value]
  return g.where(g.greater(input(0), 0), one, g.where(g.less(input(0), 0), g.constant(-1, input(0).dtype), none))
}

/** Or, which WebGPU has no kernel for. */
function either(g: GraphBuilder, a: Value, b: Value): Value {
  return g.not(g.and(g.not(a), g.not(b)))
}

/** x where it is above 0, else another function of it. */
function bent(g: GraphBuilder, x: Value, below: Operand): Value {
  return g.where(g.greater(x, 0), x, below)
}

/** exp x - 1 up to 0; above, where it is not read, it must not overflow: ∞ · 0 would be the gradient. */
function exponential(g: GraphBuilder, x: Value): Value {
  return g.sub(g.exp(g.where(g.greater(x, 0), 0, x)), 1)
}

function selu({ graph: g, input, attributes }: Site): Value {
  const alpha = attributes.float('alpha', 1.67326319217681884765625)
  const gamma = attributes.float('gamma', 1.05070102214813232421875)
  return g.mul(bent(g, input(0), g.mul(exponential(g, input(0)), alpha)), gamma)
}

function celu({ graph: g, input, attributes }: Site): Value {
  const alpha = attributes.float('alpha', 1)
  return bent(g, input(0), g.mul(exponential(g, g.div(input(0), alpha)), alpha))
}

/** Neither overflows nor cancels; the Where, in place of |x|, gives it the derivative ½ at 0. */
function softplus(g: GraphBuilder, x: Value): Value {
  const negative = g.where(g.greater(x, 0), g.neg(x), x)
  return g.add(g.relu(x), g.log(g.add(g.exp(negative), 1)))
}

function lowerGelu({ graph: g, input, attributes }: Site): Value {
  const x = input(0)
  const approximate = attributes.text('approximate', 'none')
  if (approximate === 'none') return g.gelu(x)
  if (approximate !== 'tanh')
    throw new TrainerError('file', `its attribute approximate is "${approximate}", but should be "none" or "tanh".`)
  return fastGelu(g, x)
}

/** Between 0 and 1, without a gradient from either on. */
function between(g: GraphBuilder, x: Value): Value {
  return g.where(g.greater(x, 0), g.where(g.less(x, 1), x, 1), 0)
}

function hardSigmoid({ graph: g, input, attributes }: Site): Value {
  const scaled = g.mul(input(0), attributes.float('alpha', 0.2))
  return between(g, g.add(scaled, attributes.float('beta', 0.5)))
}

function shrink({ graph: g, input, attributes }: Site): Value {
  const x = input(0)
  const threshold = attributes.float('lambd', 0.5)
  const bias = attributes.float('bias', 0)
  const above = g.where(g.greater(x, threshold), g.sub(x, bias), 0)
  return g.where(g.less(x, -threshold), g.add(x, bias), above)
}

/** The upper bound wins where it is below the lower one; on a bound itself the gradient is that of x. */
function clip({ graph: g, inputs, input, attributes }: Site): Value {
  const lowest = inputs[1] ?? attributes.float('min')
  const highest = inputs[2] ?? attributes.float('max')
  const x = input(0)
  const raised = lowest === undefined ? x : g.where(g.less(x, lowest), lowest, x)
  return highest === undefined ? raised : g.where(g.greater(raised, highest), highest, raised)
}

function chained({ inputs, input }: Site, of: (a: Value, b: Value) => Value): Value {
  return inputs.map((_, i) => input(i)).reduce(of)
}

function mean(site: Site): Value {
  const sum = chained(site, (a, b) => site.graph.add(a, b))
  return site.inputs.length === 1 ? sum : site.graph.div(sum, site.inputs.length)
}

/** An exponent that is one number becomes a scalar: its powers are cheaper, and so are their gradients. */
function pow({ graph: g, input, constant }: Site): Value {
  const [base, exponent] = [input(0), input(1)]
  const known = constant(exponent)
  if (known?.size === 1 && known.dims.length <= base.shape.length && isFloat(base.dtype))
    return g.pow(base, Number(known.data[0]))
  if (isFloat(base.dtype) || !isFloat(exponent.dtype)) return g.pow(base, g.cast(exponent, base.dtype))
  return g.cast(g.pow(g.cast(base, exponent.dtype), exponent), base.dtype)
}

function isInf({ graph: g, input, attributes }: Site): Value {
  const positive = attributes.int('detect_positive', 1) === 1
  const negative = attributes.int('detect_negative', 1) === 1
  if (positive && negative) return g.equal(g.abs(input(0)), Infinity)
  if (positive || negative) return g.equal(input(0), positive ? Infinity : -Infinity)
  return g.less(g.abs(input(0)), 0) // neither: nowhere
}
