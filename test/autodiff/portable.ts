import type { OpName } from '../../src/onnx/operators'
import type { Node } from '../../src/onnx/types'

/** Operators that CPU, CUDA and WebGPU have kernels for, with floating-point numbers. */
const portable: ReadonlySet<OpName> = new Set<OpName>([
  'MatMul',
  'Gemm',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Neg',
  'Where',
  'Erf',
  'Tanh',
  'Exp',
  'Log',
  'Sqrt',
  'Pow',
  'Sin',
  'Cos',
  'Sigmoid',
  'Reciprocal',
  'Min',
  'Max',
  'ReduceSum',
  'CumSum',
  'TopK',
  'ReduceMean',
  'ReduceMax',
  'ReduceSumSquare',
  'Softmax',
  'LayerNormalization',
  'Gather',
  'GatherElements',
  'ScatterND',
  'ScatterElements',
  'Equal',
  'Greater',
  'Less',
  'Not',
  'And',
  'Cast',
  'Expand',
  'Transpose',
  'Reshape',
  'Slice',
  'Pad',
  'Concat',
  'Split',
  'Squeeze',
  'Unsqueeze',
  'Shape',
  'Conv',
  'ConvTranspose',
  'AveragePool',
  'MaxPool',
])
/** What can be done with int64 everywhere: it is moved, not computed with. */
const moves: ReadonlySet<OpName> = new Set<OpName>([
  'Concat',
  'Shape',
  'Slice',
  'Squeeze',
  'Unsqueeze',
  'Reshape',
  'Cast',
  'Gather',
  'Expand',
])

/** What of a node not every provider can run. */
export function portableBreach(node: Node): readonly string[] {
  if (!portable.has(node.op)) return [`${node.op} (${node.name})`]
  if (node.op === 'MaxPool' && node.outputs.length > 1) return [`the places of MaxPool (${node.name})`]
  const first = node.inputs[0]?.dtype
  if (first === 'int64' && !moves.has(node.op)) return [`${node.op} of int64 (${node.name})`]
  if (node.op === 'Cast' && first === 'int64') return [`Cast from int64 (${node.name})`]
  return []
}
