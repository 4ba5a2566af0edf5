import type { GroupDistances, TokenValues } from '../feeds/TokenLayout'
import type { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Architecture } from './architecture'
import type { ScoreRule } from './attention'
import { bertEmbeddings, bertHeads, bertSettings, bertShape, hiddenDropout, pool, twoLayerHead } from './bertEncoder'
import { headSizeOf, type ModelConfig, sizeField } from './config'
import { encode, type EncoderNames } from './encoder'
import { mpnetBuckets as buckets, mpnetConfig, mpnetPadding as padding } from './relativeFields'
import type { ModelGraph } from './Model'
import { answerHead, lmHeadNames, pooledHead, tokenHead, wordHead } from './taskHeads'

/** MPNet (Song et al. 2020): BERT's encoder without segments, and a bias of attention for each bucket of distances. */
export const mpnet: Architecture = {
  config: mpnetConfig,
  prefix: 'mpnet',
  inputNames: ['input_ids', 'attention_mask', 'position_ids'],
  geometry: config => ({
    heads: sizeField(config, 'num_attention_heads'),
    headSize: headSizeOf(config, 'hidden_size', 'num_attention_heads'),
    vocabularySize: sizeField(config, 'vocab_size'),
    positions: sizeField(config, 'max_position_embeddings') - padding - 1,
    firstPosition: padding + 1,
    positionPadding: padding,
    segments: 0,
    relative: { bucket: bucketOf, blind: 'rows' },
  }),
  encode(model, config, tokens, reads) {
    const own = { ...config, pad_token_id: padding }
    const embeddings = bertEmbeddings(model, own, 'mpnet', tokens, sizeField(config, 'hidden_size'), padding)
    const rule = distanceBias(model, config, tokens)
    return encode(model, bertShape(config), names, tokens.attention, embeddings, reads, { rule: () => rule })
  },
  base: { className: 'MPNetModel', pool: pool('mpnet.pooler.dense') },
  heads: {
    'sequence-classification': twoLayerHead(
      'MPNetForSequenceClassification',
      ({ graph }, x) => graph.tanh(x),
      hiddenDropout,
    ),
    'token-classification': tokenHead('MPNetForTokenClassification', bertHeads, hiddenDropout),
    'question-answering': answerHead('MPNetForQuestionAnswering', bertHeads),
    'multiple-choice': pooledHead('MPNetForMultipleChoice', bertHeads, pool('mpnet.pooler.dense'), hiddenDropout),
    'masked-lm': wordHead('MPNetForMaskedLM', {
      ...bertHeads,
      names: lmHeadNames('mpnet'),
    }),
  },
}

const names: EncoderNames = {
  layer: index => `mpnet.encoder.layer.${index}`,
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  attentionOutput: 'attention.attn.o',
  attentionNorm: 'attention.LayerNorm',
  inner: 'intermediate.dense',
  output: 'output.dense',
  outputNorm: 'output.LayerNorm',
}

/** Adds a number to the scores of each head, by the bucket of the distance; the same in every layer. */
function distanceBias(model: ModelGraph, config: ModelConfig, { attention }: TokenValues): ScoreRule {
  const { graph } = model
  const heads = sizeField(config, 'num_attention_heads')
  const rows = sizeField(config, 'relative_attention_num_buckets')
  const table = model.parameter('mpnet.encoder.relative_attention_bias.weight', {
    shape: [rows, heads],
    initialization: { kind: 'normal', deviation: bertSettings(config).deviation },
  })
  const ofHeads = (index: Value): Value => graph.unsqueeze(graph.transpose(graph.gather(table, index), [1, 0]), [1])
  const biases = graph.scope('distances', () =>
    attention.groups.map(({ distances }) => ({
      all: distances!.toKeys(forEachQuery(graph, ofHeads(distances!.all), heads, distances!)),
      first: ofHeads(distances!.first),
    })),
  )
  return ({ scores, group, firstOnly }) => graph.add(scores, firstOnly ? biases[group]!.first : biases[group]!.all)
}

/** [heads, 1, distances] → [heads, length, distances] */
function forEachQuery(graph: GraphBuilder, x: Value, heads: number, { all, first }: GroupDistances): Value {
  const shape = graph.concat([graph.integers([heads]), graph.shape(first), graph.shape(all)], 0)
  return graph.assume(graph.node('Expand', [x, shape], {})[0]!, [heads, ...first.shape, ...all.shape])
}

/**
 * The bucket of a distance, in float32 as PyTorch computes it: half of them for keys behind the query, and of each half the
 * first for distances of their own, the others by their logarithm up to 128 (T5, Raffel et al. 2019).
 */
function bucketOf(distance: number): number {
  const half = buckets / 2
  const exact = half / 2
  const behind = distance < 0 ? half : 0
  const n = Math.abs(distance)
  if (n < exact) return behind + n
  const grown = Math.fround(Math.fround(Math.log(Math.fround(n / exact))) / Math.fround(Math.log(128 / exact)))
  return behind + Math.min(exact + Math.trunc(Math.fround(grown * (half - exact))), half - 1)
}
