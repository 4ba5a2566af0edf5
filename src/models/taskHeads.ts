// the layers of heads that families have alike but for names: of tokens, answers, choices and hidden words
import type { Value } from '../onnx/types'
import type { HeadLayers } from './architecture'
import { type ModelConfig, probabilityField, sizeField, textField } from './config'
import { activation, createLayers, type LayerSettings } from './layers'
import type { ModelGraph } from './Model'

/** What heads of a family have in common. */
export interface HeadSettings {
  /** The config field of the encoder's width. */
  readonly width: string
  settings(config: ModelConfig): LayerSettings
}

/** Dropout and one product, `classifier`: a class for each token. */
export function tokenHead(
  className: string,
  settings: HeadSettings,
  dropout: (config: ModelConfig) => number,
): HeadLayers {
  return droppedProduct(className, settings, { name: 'classifier', over: 'tokens', dropout })
}

/** One product, `qa_outputs`: where an answer begins and ends. `dropoutField` names the probability of a dropout before it. */
export function answerHead(className: string, settings: HeadSettings, dropoutField?: string): HeadLayers {
  const dropout = (config: ModelConfig): number =>
    dropoutField === undefined ? 0 : probabilityField(config, dropoutField)
  return droppedProduct(className, settings, { name: 'qa_outputs', over: 'tokens', dropout })
}

/** What `pool` makes of a row's first token, dropout, and one product: a number for each choice, or each class. */
export function pooledHead(
  className: string,
  settings: HeadSettings,
  pool: (model: ModelGraph, config: ModelConfig, first: Value) => Value,
  dropout: (config: ModelConfig) => number,
): HeadLayers {
  return droppedProduct(className, settings, { name: 'classifier', over: 'rows', dropout, pool })
}

/** Dropout, and one product of that name, on what `pool` makes of the encodings, or on these. */
interface DroppedProduct {
  readonly name: string
  readonly over: 'tokens' | 'rows'
  dropout(config: ModelConfig): number
  pool?(model: ModelGraph, config: ModelConfig, encoded: Value): Value
}

function droppedProduct(
  className: string,
  { settings }: HeadSettings,
  { name, over, dropout, pool = (_model, _config, encoded) => encoded }: DroppedProduct,
): HeadLayers {
  return {
    className,
    write(model, config, encoded, width) {
      const { linear } = createLayers(model, settings(config))
      return linear(name, model.dropout(name, pool(model, config, encoded), dropout(config), over), width)
    },
  }
}

/** What the parts of a head for hidden words are called in a checkpoint. */
export interface WordHeadNames {
  readonly dense: string
  readonly norm: string
  /** The product with the table of words, which has its own weight where `tie_word_embeddings` is false. */
  readonly decoder: string
  readonly bias: string
  /** The table of words in the encoder. */
  readonly table: string
}

/** The names that RoBERTa's head for hidden words has, and those of families after it. */
export function lmHeadNames(encoder: string): WordHeadNames {
  return {
    dense: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    decoder: 'lm_head.decoder',
    bias: 'lm_head.bias',
    table: `${encoder}.embeddings.word_embeddings.weight`,
  }
}

/** How hidden words are guessed: a product, an activation and a norm, then a product with the table of words. */
export interface WordHeadOptions extends HeadSettings {
  readonly names: WordHeadNames
  /** The config field of the table's width; that of the encoder unless given. */
  readonly tableWidth?: string
  /** The config field that names the activation; gelu unless given. */
  readonly activation?: string
}

/** A number for each word of the vocabulary, for each token. */
export function wordHead(className: string, options: WordHeadOptions): HeadLayers {
  const { names, settings, width, tableWidth = width } = options
  const ownBias = `${names.decoder}.bias`
  return {
    className,
    tied: [
      { shared: names.table, own: `${names.decoder}.weight` },
      ...(names.bias === ownBias ? [] : [{ shared: names.bias, own: ownBias }]),
    ],
    write(model, config, encoded, vocabulary) {
      const { linear, layerNorm } = createLayers(model, settings(config))
      const inner = sizeField(config, tableWidth)
      const name = options.activation === undefined ? 'gelu' : textField(config, options.activation)
      const dense = activation(model.graph, name, linear(names.dense, encoded, inner))
      const isTied = config.tie_word_embeddings !== false
      const weight = model.parameter(isTied ? names.table : `${names.decoder}.weight`, {
        shape: [vocabulary, inner],
        initialization: { kind: 'normal', deviation: settings(config).deviation },
      })
      const bias = isTied ? names.bias : ownBias
      const zeros = model.parameter(bias, { shape: [vocabulary], initialization: { kind: 'zeros' } })
      return model.graph.gemm(layerNorm(names.norm, dense), weight, zeros, { transB: 1 })
    },
  }
}
