import type { RowGradient } from '../autodiff/backward'
import type { GraphBuilder } from '../onnx/builder'
import type { Node, Value } from '../onnx/types'

/** Rows from which on the gradient of a table comes as those rows that were read: words and positions, but not segments. */
export const tableRows = 128

/** The rows that a node adds up in a table [rows, width] of zeros: what the gradient of a Gather is. */
export function addedRows(graph: GraphBuilder, node: Node): RowGradient | undefined {
  if (node.op !== 'ScatterElements') return undefined
  const { axis = 0, reduction } = (node as Node<'ScatterElements'>).attributes
  const [base, places, values] = node.inputs as readonly [Value, Value, Value]
  const index = repeatedColumn(graph, places)
  const width = base.shape[1]
  if (axis !== 0 || reduction !== 'add' || index === undefined || !isZeros(graph, base)) return undefined
  // narrower ones would be added to a part of each row
  return base.shape.length === 2 && typeof width === 'number' && values.shape[1] === width
    ? { index, values }
    : undefined
}

/** The vector [n] that a value repeats along a second axis. */
function repeatedColumn(graph: GraphBuilder, places: Value): Value | undefined {
  const column = graph.makerOf(places, 'Expand')?.inputs[0]
  const index = column && graph.makerOf(column, 'Unsqueeze')?.inputs[0]
  const isColumn = column?.shape.length === 2 && column.shape[1] === 1
  return isColumn && index?.shape.length === 1 ? index : undefined
}

function isZeros(graph: GraphBuilder, value: Value): boolean {
  const filler = graph.constantOf(graph.makerOf(value, 'Expand')?.inputs[0] ?? value)
  return filler !== undefined && Array.prototype.every.call(filler.data, number => Number(number) === 0)
}
