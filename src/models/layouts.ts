import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import type { GroupLayout, Layout } from './encoder'
import type { TokenInputs } from './family'
import { type GroupInputs, lowest, type PackedInputs, type PackingRules } from './packing'

/**
 * Between packed tokens and the padded layouts of attention: one Gather each way, which is transposition and padding at
 * once, and whose gradient is the other Gather.
 */
export function packedLayout(graph: GraphBuilder, inputs: PackedInputs, heads: number, size: number): Layout {
  const parts = (x: Value, counts: Value | undefined): readonly Value[] =>
    counts === undefined ? [x] : graph.node('Split', [x, counts], { axis: 0 }, inputs.groups.length)
  return {
    tokenGroups: x => parts(x, inputs.groupTokens),
    rowGroups: x => parts(x, inputs.groupRows),
    tokens: groups =>
      groups.length === 1 ? groups[0]! : graph.assume(graph.concat(groups, 0), ['tokens', heads * size]),
    rows: groups => (groups.length === 1 ? groups[0]! : graph.assume(graph.concat(groups, 0), ['batch', heads * size])),
    first: x => graph.gather(x, inputs.firstTokens),
    groups: inputs.groups.map(group => packedGroup(graph, group, heads, size)),
  }
}

function packedGroup(graph: GraphBuilder, inputs: GroupInputs, heads: number, size: number): GroupLayout {
  const flat = (index: Value): Value => graph.reshape(index, [-1])
  const [intoTokens, intoSlots] = [flat(inputs.fromHeads), flat(inputs.toHeads)]
  return {
    toHeads: x => graph.gather(graph.reshape(x, [-1, size]), inputs.toHeads, 0, { index: intoTokens }),
    fromHeads: (x, masked) => {
      const inverse = masked ? { index: intoSlots } : { index: intoSlots, mask: inputs.headMask }
      return graph.reshape(graph.gather(graph.reshape(x, [-1, size]), inputs.fromHeads, 0, inverse), [-1, heads * size])
    },
    bias: inputs.attentionBias,
  }
}

/** The same on a padded batch, with reshapes and transpositions: what an exported model does. */
export function paddedLayout(
  graph: GraphBuilder,
  inputIds: Value,
  attentionMask: Value,
  heads: number,
  size: number,
): Layout {
  const shape = graph.shape(inputIds)
  const headShape = graph.concat([shape, graph.integers([heads, size])], 0)
  const rowShape = graph.concat([shape, graph.integers([heads * size])], 0)
  const masked = graph.mul(graph.sub(1, graph.cast(attentionMask, 'float32')), lowest)
  return {
    tokenGroups: x => [x],
    rowGroups: x => [x],
    tokens: ([x]) => x!,
    rows: ([x]) => x!,
    first: x =>
      graph.gather(
        graph.assume(graph.reshape(x, rowShape), [...inputIds.shape, heads * size]),
        graph.constant(Tensor.from('int64', 0)),
        1,
      ),
    groups: [
      {
        toHeads: x =>
          graph.transpose(graph.assume(graph.reshape(x, headShape), [...inputIds.shape, heads, size]), [0, 2, 1, 3]),
        fromHeads: x =>
          graph.assume(graph.reshape(graph.transpose(x, [0, 2, 1, 3]), [-1, heads * size]), ['tokens', heads * size]),
        bias: graph.unsqueeze(masked, [1, 2]),
      },
    ],
  }
}

/**
 * Token, position and segment ids, [batch × length] each, computed inside the graph from `input_ids` (int64 [batch,
 * length]).
 */
export function paddedTokens(
  graph: GraphBuilder,
  rules: PackingRules,
  inputIds: Value,
  segmentIds: Value | undefined,
): TokenInputs {
  const columns = graph.constant(
    Tensor.from(
      'int64',
      Array.from({ length: rules.positions }, (_, i) => i),
    ),
  )
  const width = graph.node('Shape', [inputIds], { start: 1, end: 2 })[0]!
  const column = graph.node('Slice', [columns, graph.integers([0]), width, graph.integers([0])], {})[0]!
  const positions =
    rules.positionPadding === undefined
      ? graph.node('Expand', [column, graph.shape(inputIds)], {})[0]!
      : countedPositions(graph, inputIds, column, rules.positionPadding)
  return {
    tokenIds: graph.reshape(inputIds, [-1]),
    positionIds: graph.reshape(positions, [-1]),
    segmentIds: segmentIds === undefined ? undefined : graph.reshape(segmentIds, [-1]),
  }
}

/**
 * RoBERTa's rule: the count of tokens that are not padding so far, after the padding id; as a product with a triangle
 * of ones.
 */
function countedPositions(graph: GraphBuilder, inputIds: Value, column: Value, padding: number): Value {
  const real = graph.cast(graph.not(graph.equal(inputIds, graph.constant(Tensor.from('int64', padding)))), 'float32') // [batch, length]
  const upTo = graph.node('LessOrEqual', [graph.unsqueeze(column, [1]), graph.unsqueeze(column, [0])], {})[0]! // [length, length]
  const counted = graph.mul(graph.matMul(real, graph.cast(upTo, 'float32')), real)
  return graph.cast(graph.add(counted, padding), 'int64')
}
