// heads that give each token a class: their labels [rows, length] in a feed of tokens, and logits back in a batch's
// shape
import { LabelError, type TrainerError } from '../errors'
import type { Places, RowName } from '../feeds/FeedLayout'
import { ignoredIndex } from '../labelColumn'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import { type Batch, sizeOf, Tensor } from '../tensor'
import type { LabelFeed } from './Head'

/** What stands in predictions where a row is shorter than the longest one, as in Hugging Face's. */
export const filler = -100

/** What is known of the classes of tokens. */
export interface TokenClasses {
  readonly count: number
  /** What to do about a label that is none of them. */
  readonly advice: string
}

/**
 * The labels of a batch's tokens, int32 [tokens], in the order of its feed; labels of padding do not count.
 * @throws LabelError naming row and column of a class that the model does not have.
 */
export function tokenLabels(
  { labels, input_ids: ids }: Batch,
  classes: TokenClasses,
  { slots }: Places,
  rowName: RowName,
): LabelFeed | undefined {
  if (labels === undefined) return undefined
  checkShape(labels, ids!)
  const width = labels.dims[1]!
  const inFeed = new Int32Array(slots.length).fill(ignoredIndex)
  let count = 0
  slots.forEach((slot, token) => {
    if (slot < 0) return
    const label = Number(labels.data[slot])
    if (!Number.isInteger(label) || (label !== ignoredIndex && (label < 0 || label >= classes.count)))
      throw unknownLabel(label, `${rowName(Math.floor(slot / width))}, token ${slot % width}`, classes)
    inFeed[token] = label
    if (label !== ignoredIndex) count++
  })
  return { inputs: { labels: new Tensor('int32', inFeed, [slots.length]) }, count }
}

function checkShape(labels: Tensor, ids: Tensor): void {
  if (labels.dims.join() === ids.dims.join()) return
  const given = `[${labels.dims.join(', ')}]`
  throw new LabelError(
    `Each token needs a label, but "labels" has the shape ${given}, and "input_ids" [${ids.dims.join(', ')}].`,
    'DataCollatorForTokenClassification pads both; in map, give special tokens and padding the label -100.',
  )
}

function unknownLabel(label: number, place: string, { count, advice }: TokenClasses): TrainerError {
  return new LabelError(
    `The label of ${place}, is ${label}, but the model has ${count} labels: 0 to ${count - 1}.`,
    advice,
  )
}

/**
 * Values of a feed's tokens [tokens, …] as those of a batch [rows, length, …]; -100 where a row has padding.
 * @param shape that of the batch's main input: [rows, length].
 */
export function inBatch(
  tokens: Tensor,
  { slots }: Places,
  [rows = 0, length = 0]: readonly number[],
): Tensor<'float32'> {
  const inner = tokens.dims.slice(1)
  const width = sizeOf(inner)
  const data = new Float32Array(rows * length * width).fill(filler)
  slots.forEach((slot, token) => {
    if (slot < 0) return
    data.set(tokens.data.subarray(token * width, (token + 1) * width) as Float32Array, slot * width)
  })
  return new Tensor('float32', data, [rows, length, ...inner])
}

/** Values of tokens [tokens, …] in an exported model, as [batch, length, …]. */
export function exportedTokens(graph: GraphBuilder, tokens: Value, inputIds: Value): Value {
  const inner = tokens.shape.slice(1)
  const rows = graph.shape(inputIds)
  const shape = inner.length === 0 ? rows : graph.concat([rows, graph.integers(inner as number[])], 0)
  return graph.assume(graph.reshape(tokens, shape), [...inputIds.shape, ...inner])
}
