import type { ModelConfig } from './config'
import { type ConfigProblem, type FamilyConfig, field, limits, probability, refused, size, unused } from './fields'
import { isJsonObject } from '../json'

/** How far the tokens of a layer see, in Python's words. */
const layerTypes = ['full_attention', 'sliding_attention'] as const
export type LayerType = (typeof layerTypes)[number]

/** ModernBERT's fields. */
export const modernbertConfig: FamilyConfig = {
  fields: {
    vocab_size: size(50_368, limits.rows, 'rows of the table of tokens'),
    hidden_size: size(768, limits.width, "the encoder's width"),
    intermediate_size: size(1152, limits.width, 'the inner width of a layer, whose first product is twice as wide'),
    num_hidden_layers: size(22, limits.layers, 'layers'),
    num_attention_heads: size(12, limits.heads, 'heads of attention, which divide the width'),
    hidden_activation: field('honoured', 'activation', 'gelu', 'the function of the gated half of a layer'),
    max_position_embeddings: field(
      'irrelevant',
      'size',
      8192,
      'there is no table of positions; the tokenizer takes it',
      {
        most: limits.rows,
      },
    ),
    initializer_range: field('honoured', 'number', 0.02, 'the deviation of weights that start at random'),
    initializer_cutoff_factor: field('honoured', 'number', 2, 'how many deviations those are away from 0 at most'),
    norm_eps: field('honoured', 'number', 1e-5, 'what layer normalization adds to the variance'),
    norm_bias: field('honoured', 'boolean', false, 'a bias in layer normalization'),
    pad_token_id: field('honoured', 'token', 50_283, 'the row of the table of tokens that is not trained', {
      nullable: true,
    }),
    eos_token_id: unused('any', 50_282, 'the tokenizer has it'),
    bos_token_id: unused('any', 50_281, 'the tokenizer has it'),
    cls_token_id: unused('any', 50_281, 'the tokenizer has it'),
    sep_token_id: unused('any', 50_282, 'the tokenizer has it'),
    attention_bias: field('honoured', 'boolean', false, "a bias in attention's products"),
    attention_dropout: probability(0, 'dropout of attention, and of what it gives'),
    layer_types: field(
      'honoured',
      'any',
      null,
      'of each layer "full_attention" or "sliding_attention"; null: by `global_attn_every_n_layers`',
    ),
    rope_parameters: field(
      'honoured',
      'any',
      null,
      'of each type of layer its `rope_theta`; a `rope_type` other than "default" is refused',
    ),
    local_attention: size(128, limits.rows, 'the window of local layers, half of it to each side'),
    embedding_dropout: probability(0, 'dropout of embeddings'),
    mlp_bias: field('honoured', 'boolean', false, 'a bias in the products of a layer'),
    mlp_dropout: probability(0, 'dropout between the products of a layer'),
    decoder_bias: field('honoured', 'boolean', true, 'a bias where hidden words are guessed'),
    classifier_pooling: field(
      'honoured',
      'text',
      'cls',
      'what the head reads of a row: "cls", or the "mean" of its tokens',
    ),
    classifier_dropout: probability(0, 'dropout in the head'),
    classifier_bias: field('honoured', 'boolean', false, "a bias in the head's first product"),
    classifier_activation: field('honoured', 'activation', 'gelu', 'the function in the head'),
    deterministic_flash_attn: unused('boolean', false, 'a kernel of Python'),
    sparse_prediction: unused('boolean', false, 'in Python logits of hidden words alone; the loss is the same'),
    sparse_pred_ignore_index: refused('any', -100, 'a label that does not count is -100'),
    tie_word_embeddings: field('honoured', 'boolean', true, 'hidden words are guessed by the table of words'),
  },
  olderFields: {
    global_attn_every_n_layers: size(
      3,
      limits.layers,
      'where `layer_types` is not there: every how many layers sees all tokens',
    ),
    global_rope_theta: field(
      'honoured',
      'number',
      160_000,
      'where `rope_parameters` does not say it: of layers that see all tokens',
    ),
    local_rope_theta: field('honoured', 'number', 10_000, 'the same of local layers; null: as the others', {
      nullable: true,
    }),
    rope_scaling: refused('any', null, 'scaled positions are not there'),
    reference_compile: unused('any', null, 'a compiler of Python'),
    repad_logits_with_grad: unused('any', null, 'memory in Python'),
  },
  aliases: {},
  width: 'hidden_size',
  heads: 'num_attention_heads',
  countsFromPadding: false,
  // transformers 5.24 fails at null
  saved: ({ local_rope_theta: local, global_rope_theta: full }) =>
    local === null ? { local_rope_theta: typeof full === 'number' ? full : 160_000 } : {},
  check: config => checkPooling(config) ?? checkLayers(config) ?? checkRope(config) ?? checkSizes(config),
}

type Problem = ConfigProblem | undefined

function checkPooling({ classifier_pooling: pooling }: ModelConfig): Problem {
  if (pooling === 'cls' || pooling === 'mean') return undefined
  return { field: 'classifier_pooling', problem: 'but only "cls" and "mean" are there' }
}

function checkLayers({ layer_types: types, num_hidden_layers: layers }: ModelConfig): Problem {
  if (types === null) return undefined
  const known: readonly unknown[] = layerTypes
  if (!Array.isArray(types) || types.some(type => !known.includes(type)))
    return { field: 'layer_types', problem: 'which has to be a list of "full_attention" and "sliding_attention"' }
  if (types.length === layers) return undefined
  return { field: 'layer_types', problem: `which are ${types.length}, but there are ${String(layers)} layers` }
}

function checkRope({ rope_parameters: given }: ModelConfig): Problem {
  const field = 'rope_parameters'
  if (given === null) return undefined
  if (!isJsonObject(given) || Object.keys(given).some(key => !(layerTypes as readonly string[]).includes(key)))
    return { field, problem: 'which has to be an object of "full_attention" and "sliding_attention"' }
  for (const [type, own] of Object.entries(given)) {
    if (own === null) continue
    if (!isJsonObject(own)) return { field, problem: `whose "${type}" has to be an object or null` }
    const kind = own.rope_type ?? own.type ?? 'default'
    if (kind !== 'default') return { field, problem: `whose "${type}" is of another type than "default": not there` }
    const theta = own.rope_theta
    if (theta !== undefined && theta !== null && !(typeof theta === 'number' && theta > 0))
      return { field, problem: `whose "${type}" needs a "rope_theta" above 0` }
  }
  return undefined
}

function checkSizes(config: ModelConfig): Problem {
  const headSize = (config.hidden_size as number) / (config.num_attention_heads as number)
  if (headSize % 2 !== 0)
    return {
      field: 'hidden_size',
      problem: `which gives heads of width ${headSize}, but positions turn pairs of numbers`,
    }
  if ((config.initializer_cutoff_factor as number) < 0.1)
    return { field: 'initializer_cutoff_factor', problem: 'but less than 0.1 deviations are not drawn' }
  return undefined
}
