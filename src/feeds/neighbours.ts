// the tokens beside each token of a row, for convolutions over columns
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import type { NeighbouringTokens } from './TokenLayout'

/** The offsets that a convolution of an odd width reads, without the token's own. */
function offsetsOf(width: number): number[] {
  const reach = (width - 1) / 2
  return Array.from({ length: width }, (_, i) => i - reach).filter(offset => offset !== 0)
}

// ── the host's half ──

/** Where tokens stand, row after row. */
interface Standing {
  readonly lengths: Int32Array
  /** There wherever the geometry has a convolution, which comes with distances. */
  readonly columns: Int32Array | undefined
}

/** Of each offset, which token stands there beside each one of the feed, and whether one does. */
export function neighbourInputs(width: number, { lengths, columns }: Standing, count: number): Record<string, Tensor> {
  const offsets = offsetsOf(width).map(offset => ({
    offset,
    index: new Int32Array(count),
    mask: new Float32Array(count),
  }))
  let first = 0
  for (const length of lengths) {
    const standing = new Map(Array.from(columns!.subarray(first, first + length), (column, i) => [column, first + i]))
    for (const [column, token] of standing) {
      for (const { offset, index, mask } of offsets) {
        const other = standing.get(column + offset)
        if (other === undefined) continue
        index[token] = other
        mask[token] = 1
      }
    }
    first += length
  }
  const inputs = offsets.flatMap(({ offset, index, mask }) => [
    [`neighbour.${offset}`, new Tensor('int32', index, [count])] as const,
    [`neighbour_mask.${offset}`, new Tensor('float32', mask, [count, 1])] as const,
  ])
  return Object.fromEntries(inputs)
}

// ── the graph's half ──

/** The same as inputs of a graph. */
export function declareNeighbours(graph: GraphBuilder, width: number): NeighbouringTokens {
  const places = new Map(
    offsetsOf(width).map(offset => {
      const index = graph.input(`neighbour.${offset}`, 'int32', ['tokens'])
      return [offset, { index, mask: graph.input(`neighbour_mask.${offset}`, 'float32', ['tokens', 1]) }] as const
    }),
  )
  return (x, offset) => {
    const there = places.get(offset)
    if (there === undefined) return x
    // what a token gives to the one on the other side comes back from there
    return graph.mul(graph.gather(x, there.index, 0, { inverse: places.get(-offset)! }), there.mask)
  }
}

/** The same in an exported model, whose tokens are all columns of `rows` [batch, length]. */
export function columnNeighbours(graph: GraphBuilder, rows: Value): NeighbouringTokens {
  return (x, offset) => {
    if (offset === 0) return x
    const width = x.shape.at(-1) as number
    const shape = graph.concat([graph.shape(rows), graph.integers([width])], 0)
    const grid = graph.reshape(x, shape)
    const by = Math.abs(offset)
    const padded = graph.node('Pad', [grid, graph.integers(offset > 0 ? [0, 0, 0, 0, by, 0] : [0, by, 0, 0, 0, 0])], {
      mode: 'constant',
    })[0]!
    const moved = offset > 0 ? graph.slice(padded, [by], [2 ** 31 - 1], [1]) : graph.slice(padded, [0], [-by], [1])
    return graph.assume(graph.reshape(moved, [-1, width]), x.shape)
  }
}
