import { TrainerError } from '../errors'
import type { Geometry, TokenValues } from '../feeds/TokenLayout'
import type { Value } from '../onnx/types'
import type { Architecture, HeadLayers } from './architecture'
import { bertHeads, bertSettings, bertShape, hiddenDropout } from './bertEncoder'
import { headSizeOf, type ModelConfig, numberField, paddingId, probabilityField, sizeField, textField } from './config'
import { convolution } from './convolution'
import { disentangled, type DistanceTable, distanceIndex, distanceTable } from './disentangled'
import { encode, type EncoderNames } from './encoder'
import { debertaV2Config } from './relativeFields'
import { activation, createLayers } from './layers'
import type { ModelGraph } from './Model'
import { answerHead, pooledHead, tokenHead, wordHead } from './taskHeads'

/** DeBERTa-v2 and v3 (He et al. 2020): the scores of attention are those of contents and of distances, apart. */
export const debertaV2: Architecture = {
  config: debertaV2Config,
  prefix: 'deberta',
  inputNames: ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'],
  geometry: geometryOf,
  encode(model, config, tokens, reads) {
    const embedded = embeddings(model, config, tokens)
    const table = distanceTable(model, config)
    // the convolution reads each token's neighbours, and adds to the output of the first layer
    const isShort = kernelOf(config) !== undefined && sizeField(config, 'num_hidden_layers') === 1
    const encoded = encode(
      model,
      bertShape(config),
      names,
      tokens.attention,
      embedded,
      isShort ? 'all' : reads,
      extrasOf(model, config, tokens, embedded, table),
    )
    return isShort && reads === 'first' ? tokens.attention.first(encoded) : encoded
  },
  // the head for hidden words has two sets of names, and files whose config does not say which
  renames: config =>
    config.legacy === false
      ? [[/^cls\.predictions\.(?:transform\.)?(dense|LayerNorm|bias)/, 'lm_predictions.lm_head.$1']]
      : [
          [/^lm_predictions\.lm_head\.(dense|LayerNorm)/, 'cls.predictions.transform.$1'],
          [/^lm_predictions\.lm_head\.bias/, 'cls.predictions.bias'],
        ],
  base: { className: 'DebertaV2Model' },
  heads: {
    'sequence-classification': pooledHead('DebertaV2ForSequenceClassification', bertHeads, pool, headDropout),
    'token-classification': tokenHead('DebertaV2ForTokenClassification', bertHeads, hiddenDropout),
    'question-answering': answerHead('DebertaV2ForQuestionAnswering', bertHeads),
    'multiple-choice': pooledHead('DebertaV2ForMultipleChoice', bertHeads, pool, headDropout),
    'masked-lm': wordsHead('DebertaV2ForMaskedLM'),
  },
}

const names: EncoderNames = {
  layer: index => `deberta.encoder.layer.${index}`,
  query: 'attention.self.query_proj',
  key: 'attention.self.key_proj',
  value: 'attention.self.value_proj',
  attentionOutput: 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
  inner: 'intermediate.dense',
  output: 'output.dense',
  outputNorm: 'output.LayerNorm',
}

function geometryOf(config: ModelConfig): Geometry {
  return {
    heads: sizeField(config, 'num_attention_heads'),
    headSize: headSizeOf(config, 'hidden_size', 'num_attention_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: config.position_biased_input === true ? sizeField(config, 'max_position_embeddings') : Infinity,
    firstPosition: 0,
    positionPadding: undefined,
    segments: Math.max(0, numberField(config, 'type_vocab_size')),
    relative: { bucket: distanceIndex(config), blind: 'tokens' },
    convolution: kernelOf(config),
  }
}

/** The width of the convolution, where there is one. */
function kernelOf(config: ModelConfig): number | undefined {
  const kernel = numberField(config, 'conv_kernel_size')
  return kernel > 0 ? kernel : undefined
}

function refused(config: ModelConfig, field: string, fix: string): TrainerError {
  const value = JSON.stringify(config[field])
  return new TrainerError('model', `The config of this deberta-v2 model has "${field}" ${value}, which cannot be.`, {
    fix,
  })
}

/** LayerNorm(word + position + segment, widened), zeros for masked tokens, dropped: [tokens, width]. */
function embeddings(model: ModelGraph, config: ModelConfig, tokens: TokenValues): Value {
  const { graph } = model
  const { embedding, layerNorm, product } = createLayers(model, bertSettings(config))
  const width = sizeField(config, 'hidden_size')
  const narrow = tableWidth(config)
  const name = (part: string): string => `deberta.embeddings.${part}`
  const table = (part: string, ids: Value, rowsField: string): Value =>
    embedding(name(part), ids, sizeField(config, rowsField), narrow)
  return graph.scope('embeddings', () => {
    const vocabulary = sizeField(config, 'vocab_size')
    let x = embedding(name('word_embeddings'), tokens.tokenIds, vocabulary, narrow, paddingId(config))
    if (config.position_biased_input === true)
      x = graph.add(x, table('position_embeddings', tokens.positionIds, 'max_position_embeddings'))
    if (tokens.segmentIds !== undefined)
      x = graph.add(x, table('token_type_embeddings', tokens.segmentIds, 'type_vocab_size'))
    if (narrow !== width) x = product(name('embed_proj'), x, width)
    const normed = layerNorm(name('LayerNorm'), x)
    const seen = tokens.real === undefined ? normed : graph.mul(normed, tokens.real)
    return model.dropout('embeddings', seen, hiddenDropout(config), 'tokens')
  })
}

function extrasOf(
  model: ModelGraph,
  config: ModelConfig,
  tokens: TokenValues,
  embedded: Value,
  table: DistanceTable,
): Parameters<typeof encode>[6] {
  return {
    scale: table.scale,
    rule: (prefix, site) =>
      disentangled(model, config, table, `${prefix}.attention.self`, `${site}.attention.distances`),
    after: (layer, output) => (layer === 0 ? convolution(model, config, tokens, embedded, output) : output),
  }
}

/** `cls_dropout`, or where it is null the hidden layers' probability. */
function headDropout(config: ModelConfig): number {
  return config.cls_dropout === null ? hiddenDropout(config) : probabilityField(config, 'cls_dropout')
}

/** DeBERTa's pooler, which is part of the head: dropout, a product and a function of each row's first token. */
function pool(model: ModelGraph, config: ModelConfig, first: Value): Value {
  const { linear } = createLayers(model, bertSettings(config))
  const dropped = model.dropout('pooler', first, probabilityField(config, 'pooler_dropout'), 'rows')
  const dense = linear('pooler.dense', dropped, sizeField(config, 'hidden_size'))
  return activation(model.graph, textField(config, 'pooler_hidden_act'), dense)
}

/** The head for hidden words under its two sets of names; without `legacy` its table is that of words in any case. */
function wordsHead(className: string): HeadLayers {
  const named = (part: string, end: string): HeadLayers =>
    wordHead(className, {
      ...bertHeads,
      activation: 'hidden_act',
      tableWidth: 'embedding_size',
      names: {
        dense: `${part}.dense`,
        norm: `${part}.LayerNorm`,
        decoder: `${end}.decoder`,
        bias: `${end}.bias`,
        table: 'deberta.embeddings.word_embeddings.weight',
      },
    })
  const legacy = named('cls.predictions.transform', 'cls.predictions')
  const present = named('lm_predictions.lm_head', 'lm_predictions.lm_head')
  return {
    ...legacy,
    write(model, config, encoded, vocabulary) {
      const own = { ...config, embedding_size: tableWidth(config) }
      if (config.legacy === true) return legacy.write(model, own, encoded, vocabulary)
      if (own.embedding_size !== sizeField(config, 'hidden_size'))
        throw refused(config, 'embedding_size', 'Without "legacy" the head for hidden words has the "hidden_size".')
      return present.write(model, { ...own, tie_word_embeddings: true }, encoded, vocabulary)
    },
  }
}

/** The width of the tables of embeddings. */
function tableWidth(config: ModelConfig): number {
  return sizeField(config, config.embedding_size === null ? 'hidden_size' : 'embedding_size')
}
