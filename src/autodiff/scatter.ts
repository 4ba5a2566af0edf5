import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'

/** A ScatterElements that combines what is there with what is put there. */
export interface ScatterSite {
  readonly graph: GraphBuilder
  readonly x: Value
  readonly index: Value
  readonly updates: Value
  /** The gradient of its result. */
  readonly d: Value
  readonly axis: number
}

type Gradients = readonly [Value, undefined, Value]

/** Of the largest or smallest: equal ones share the gradient, as in PyTorch. */
export function extremeGradients({ graph: g, x, index, updates, d, axis }: ScatterSite, y: Value): Gradients {
  const stayed = g.cast(g.equal(x, y), d.dtype)
  const won = g.cast(g.equal(updates, g.gatherElements(y, index, axis)), d.dtype)
  const count = g.node('ScatterElements', [stayed, index, won], { axis, reduction: 'add' })[0]!
  const share = g.div(d, count)
  return [g.mul(stayed, share), undefined, g.mul(won, g.gatherElements(share, index, axis))]
}

/** Of a product: for each factor the product of the others, where factors of 0 are counted apart. */
export function productGradients({ graph: g, x, index, updates, d, axis }: ScatterSite): Gradients {
  const scatter = (into: Value, values: Value, reduction: 'add' | 'mul'): Value =>
    g.node('ScatterElements', [into, index, values], { axis, reduction })[0]!
  const [own, put] = [x, updates].map(value => g.equal(value, 0)) as [Value, Value]
  const factor = (value: Value, isZero: Value): Value => g.where(isZero, 1, value)
  const product = g.mul(d, scatter(factor(x, own), factor(updates, put), 'mul'))
  const zeros = scatter(g.cast(own, d.dtype), g.cast(put, d.dtype), 'add')
  const others = (value: Value, isZero: Value, whole: Value, count: Value): Value =>
    g.where(g.equal(count, g.cast(isZero, d.dtype)), g.div(whole, factor(value, isZero)), 0)
  const at = (value: Value): Value => g.gatherElements(value, index, axis)
  return [others(x, own, product, zeros), undefined, others(updates, put, at(product), at(zeros))]
}
