import type { AttentionLayout } from '../feeds/TokenLayout'
import type { Value } from '../onnx/types'
import { attend, type ScoreRule } from './attention'
import { activation, createLayers, type Layers, type LayerSettings } from './layers'
import type { DroppedOver, ModelGraph } from './Model'

/** The sizes and probabilities of a stack of post-normalised transformer layers (Vaswani et al. 2017, as BERT uses them). */
export interface EncoderShape extends LayerSettings {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly innerWidth: number
  readonly activation: string
  readonly attentionDropout: number
  /** After the attention's output product; DistilBERT has none. */
  readonly attentionOutputDropout: number
  readonly outputDropout: number
}

/** What the parts of a layer are called in a checkpoint. */
export interface EncoderNames {
  readonly layer: (index: number) => string
  readonly query: string
  readonly key: string
  readonly value: string
  readonly attentionOutput: string
  readonly attentionNorm: string
  readonly inner: string
  readonly output: string
  readonly outputNorm: string
}

/** What a family's layers do beside what BERT's do. */
export interface EncoderExtras {
  /** What the scores of attention are multiplied by; 1 / √size unless given. */
  readonly scale?: number
  /** What the scores of a layer become; it is asked for before the layer's attention is written. */
  rule?(prefix: string, site: string): ScoreRule | undefined
  /** What a layer's output becomes. */
  after?(layer: number, output: Value): Value
}

/** A stack of layers in a graph. */
interface Stack {
  readonly model: ModelGraph
  readonly layers: Layers
  readonly shape: EncoderShape
  readonly names: EncoderNames
  readonly attention: AttentionLayout
  readonly extras: EncoderExtras
}

/** One layer of a stack: what its parameters and its dropout are called, and which rows it computes. */
interface Layer {
  readonly prefix: string
  readonly site: string
  /** Whether it computes each row's first token alone, which is all that the head reads. */
  readonly firstOnly: boolean
}

/**
 * The stack, on tokens only: [tokens, width] → [tokens, width], or each row's first token, [batch, width], if that is
 * all the head reads.
 *
 * For a head that reads only the first token, the last layer computes its query, output and feed-forward for that one
 * alone.
 */
export function encode(
  model: ModelGraph,
  shape: EncoderShape,
  names: EncoderNames,
  attention: AttentionLayout,
  x: Value,
  reads: 'first' | 'all',
  extras: EncoderExtras = {},
): Value {
  const stack = { model, layers: createLayers(model, shape), shape, names, attention, extras }
  let hidden = x
  for (let i = 0; i < shape.layers; i++) {
    const layer = {
      prefix: names.layer(i),
      site: `layer.${i}`,
      firstOnly: reads === 'first' && i === shape.layers - 1,
    }
    model.checkpoint(hidden)
    hidden = model.graph.scope(layer.site, () => {
      const output = encoderLayer(stack, layer, hidden)
      return extras.after?.(i, output) ?? output
    })
  }
  return hidden
}

function encoderLayer(stack: Stack, layer: Layer, x: Value): Value {
  const { model, layers, shape, names } = stack
  const { prefix, site } = layer
  const over: DroppedOver = layer.firstOnly ? 'rows' : 'tokens'
  const rows = layer.firstOnly ? stack.attention.first(x) : x
  const context = selfAttention(stack, layer, x, rows)
  const projected = layers.linear(`${prefix}.${names.attentionOutput}`, context, shape.width)
  const attended = model.dropout(`${site}.attention.output`, projected, shape.attentionOutputDropout, over)
  const middle = layers.layerNorm(`${prefix}.${names.attentionNorm}`, model.graph.add(attended, rows))
  const inner = layers.linear(`${prefix}.${names.inner}`, middle, shape.innerWidth)
  const activated = activation(model.graph, shape.activation, inner)
  const outer = layers.linear(`${prefix}.${names.output}`, activated, shape.width)
  const output = model.dropout(`${site}.output`, outer, shape.outputDropout, over)
  return layers.layerNorm(`${prefix}.${names.outputNorm}`, model.graph.add(output, middle))
}

/** Keys and values from all tokens `x`, queries from `rows`; the scale of the scores is part of the query's product. */
function selfAttention(stack: Stack, { prefix, site, firstOnly }: Layer, x: Value, rows: Value): Value {
  const { model, layers, shape, names, attention, extras } = stack
  const { scale = 1 / Math.sqrt(shape.width / shape.heads) } = extras
  const rule = extras.rule?.(prefix, site)
  const project = (name: string, from: Value, by?: number): Value =>
    layers.linear(`${prefix}.${name}`, from, shape.width, by)
  const inputs = {
    query: () => project(names.query, rows, scale),
    key: () => project(names.key, x),
    value: () => project(names.value, x),
  }
  const options = { heads: shape.heads, site: `${site}.attention`, dropout: shape.attentionDropout, firstOnly, rule }
  return attend(model, attention, inputs, options)
}
