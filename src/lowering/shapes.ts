import { reshaped } from '../onnx/shapes'
import type { Dimension, Value } from '../onnx/types'
import { TrainerError } from '../errors'
import { Tensor } from '../tensor'
import type { LoweringTable, Site } from './Lowering'

/** Constants, shapes, and what is shaped by them. */
export const shapes: LoweringTable = {
  Constant: { how: 'a constant', lower: ({ graph, attributes }) => graph.constant(constantOf(attributes)) },
  Reshape: { how: 'as it is', carries: [0], lower: reshape },
  Flatten: { how: 'Reshape', lower: flatten },
}

function constantOf(attributes: Site['attributes']): Tensor {
  const [float, int] = [attributes.float('value_float'), attributes.int('value_int')]
  const [floats, ints] = [attributes.numbers('value_floats'), attributes.numbers('value_ints')]
  const tensor =
    attributes.tensor('value') ??
    (float === undefined ? undefined : Tensor.from('float32', float)) ??
    (int === undefined ? undefined : Tensor.from('int64', int)) ??
    (floats && Tensor.from('float32', floats)) ??
    (ints && Tensor.from('int64', ints))
  if (tensor === undefined) throw new TrainerError('graph', 'it has no value that is a tensor of numbers.')
  return tensor
}

function reshape({ graph, input, lengths, attributes }: Site): Value {
  const [x, target] = [input(0), input(1)]
  const allowzero = attributes.int('allowzero', 0)
  const wanted = lengths(target)
  const value = graph.node('Reshape', [x, target], allowzero === 0 ? {} : { allowzero })[0]!
  if (wanted === undefined || value.shape.every(length => typeof length === 'number')) return value
  // what is not known of the target keeps the name that inference gave
  const known = wanted.map((length, i): Dimension => length ?? value.shape[i]!)
  return graph.assume(
    value,
    reshaped(x.shape, known, allowzero === 1, () => value.shape[wanted.indexOf(-1)]!),
  )
}

function flatten({ graph, input, attributes }: Site): Value {
  const x = input(0)
  const axis = attributes.int('axis', 1)
  const at = axis < 0 ? axis + x.shape.length : axis
  const [before, after] = [x.shape.slice(0, at), x.shape.slice(at)]
  const size = (lengths: readonly Dimension[]): number | undefined =>
    lengths.every((length): length is number => typeof length === 'number')
      ? lengths.reduce((a, b) => a * b, 1)
      : undefined
  const [rows, columns] = [size(before), size(after)]
  if (at === 1) return graph.reshape(x, [0, columns ?? -1])
  if (rows === undefined && columns === undefined)
    throw new TrainerError('graph', `of the shape [${x.shape.join(', ')}] both sides of axis ${at} are unknown.`)
  return graph.reshape(x, rows === undefined ? [-1, columns!] : [rows, columns ?? -1])
}
