// the fields of families whose attention knows distances: see fields.ts
import { type ModelConfig, numberField, sizeField } from './config'
import {
  bertFields,
  bertNames,
  type ConfigFields,
  type ConfigProblem,
  type FamilyConfig,
  field,
  limits,
  probability,
  size,
  unused,
} from './fields'

/** Those of BERT's fields that every family named after its layers has. */
const layerFields: ConfigFields = pick(bertFields, [
  'hidden_act',
  'hidden_dropout_prob',
  'attention_probs_dropout_prob',
  'max_position_embeddings',
  'initializer_range',
  'layer_norm_eps',
  'bos_token_id',
  'eos_token_id',
  'tie_word_embeddings',
])

function pick(fields: ConfigFields, names: readonly string[]): ConfigFields {
  return Object.fromEntries(names.map(name => [name, fields[name]!]))
}

/** The padding id of MPNet's tables, whatever `pad_token_id` says: positions are counted from the one after it. */
export const mpnetPadding = 1
/** How many buckets MPNet puts distances into, however many rows their table has. */
export const mpnetBuckets = 32

/** MPNet's fields: no segments, and buckets of distances. */
export const mpnetConfig: FamilyConfig = {
  ...bertNames,
  fields: {
    ...layerFields,
    ...pick(bertFields, ['hidden_size', 'num_hidden_layers', 'num_attention_heads', 'intermediate_size']),
    vocab_size: size(30_527, limits.rows, 'rows of the table of tokens'),
    relative_attention_num_buckets: size(
      32,
      limits.rows,
      'rows of the table of distances; Python reads 32 whatever it says, so it has to be at least that',
    ),
    pad_token_id: unused('token', 1, "the tokenizer's; the tables have padding at 1 whatever it says", {
      nullable: true,
    }),
    bos_token_id: unused('any', 0, 'the tokenizer has it'),
    eos_token_id: unused('any', 2, 'the tokenizer has it'),
  },
  check: config =>
    tooFew(config, 'vocab_size', mpnetPadding + 1, 'padding is token 1') ??
    tooFew(config, 'max_position_embeddings', mpnetPadding + 2, 'positions are counted from 2') ??
    tooFew(config, 'relative_attention_num_buckets', mpnetBuckets, `attention has ${mpnetBuckets} buckets`),
}

function tooFew(config: ModelConfig, name: string, least: number, reason: string): ConfigProblem | undefined {
  if (sizeField(config, name) >= least) return undefined
  return { field: name, problem: `but ${reason}`, fix: `It has to be at least ${least}.` }
}

/** DeBERTa-v2's fields, and those that its model reads though its config class does not state them. */
export const debertaV2Config: FamilyConfig = {
  ...bertNames,
  fields: {
    ...layerFields,
    vocab_size: size(128_100, limits.rows, 'rows of the table of tokens'),
    hidden_size: size(1536, limits.width, "the encoder's width"),
    num_hidden_layers: size(24, limits.layers, 'layers'),
    num_attention_heads: size(24, limits.heads, 'heads of attention, which divide the width'),
    intermediate_size: size(6144, limits.width, 'the inner width of a layer'),
    type_vocab_size: field('honoured', 'whole', 0, 'rows of the table of segments; none unless positive', {
      most: limits.rows,
    }),
    layer_norm_eps: field('honoured', 'number', 1e-7, 'what layer normalization adds to the variance'),
    relative_attention: field('honoured', 'boolean', false, 'attention by distances too'),
    max_relative_positions: field(
      'honoured',
      'whole',
      -1,
      'the largest distance that is told apart; `max_position_embeddings` unless positive',
      { most: limits.rows },
    ),
    pad_token_id: bertFields.pad_token_id!,
    position_biased_input: field('honoured', 'boolean', true, 'a table of positions; without one any length is taken'),
    pos_att_type: field('honoured', 'names', null, "'c2p': keys' distances count, 'p2c': queries'; others do not", {
      nullable: true,
    }),
    pooler_dropout: probability(0, 'dropout before the product of the pooler'),
    pooler_hidden_act: field('honoured', 'activation', 'gelu', 'the function of the pooler'),
    legacy: field('honoured', 'boolean', true, 'the names of the head for hidden words; both are read'),
  },
  read: {
    position_buckets: field('honoured', 'whole', -1, 'buckets of distances to each side; none unless positive', {
      most: limits.rows,
    }),
    share_att_key: field('honoured', 'boolean', false, 'distances share the products of queries and keys'),
    norm_rel_ebd: field('honoured', 'text', 'none', "'layer_norm' normalizes the table of distances"),
    embedding_size: field('honoured', 'size', null, "the tables' width; `hidden_size` unless given", {
      most: limits.width,
    }),
    conv_kernel_size: field(
      'honoured',
      'whole',
      0,
      'the width of a convolution after the first layer; none unless positive; odd',
      {
        most: limits.width,
      },
    ),
    conv_groups: size(1, limits.width, 'groups of that convolution, which divide the width'),
    conv_act: field('honoured', 'activation', 'tanh', 'the function of that convolution'),
    cls_dropout: field('honoured', 'probability', null, 'dropout in the head; null: `hidden_dropout_prob`', {
      nullable: true,
    }),
    pooler_hidden_size: field('honoured', 'size', null, 'the width of the pooler: `hidden_size`, or Python fails', {
      most: limits.width,
    }),
    attention_head_size: field(
      'honoured',
      'size',
      null,
      'the width of a head: that of the encoder divided by the heads',
      {
        most: limits.width,
      },
    ),
  },
  check: checkDeberta,
}

/** Sizes that Python fails at when the model runs. */
function checkDeberta(config: ModelConfig): ConfigProblem | undefined {
  const width = sizeField(config, 'hidden_size')
  const cannotBe = (name: string, fix: string): ConfigProblem => ({ field: name, problem: 'which cannot be', fix })
  const sizes = { pooler_hidden_size: width, attention_head_size: width / sizeField(config, 'num_attention_heads') }
  for (const [name, size] of Object.entries(sizes))
    if (config[name] !== null && config[name] !== size)
      return cannotBe(name, `Leave it out, or make it ${size}: the products around it have that width.`)
  if (config.relative_attention === true && config.position_buckets === 1)
    return cannotBe('position_buckets', 'It has to be 2 or more: half of the buckets are for each side. -1 is none.')
  const kernel = numberField(config, 'conv_kernel_size')
  if (kernel > 0 && kernel % 2 === 0)
    return cannotBe('conv_kernel_size', 'It has to be odd, so that each token has as many neighbours on either side.')
  if (kernel > 0 && width % sizeField(config, 'conv_groups') !== 0)
    return cannotBe('conv_groups', `It has to divide the "hidden_size" ${width}.`)
  return undefined
}
