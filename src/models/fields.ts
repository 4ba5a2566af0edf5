// the fields of config.json, family by family: what each has to be, its default in Python, and what becomes of it here
import type { Json } from '../json'
import type { ModelConfig } from './config'

/** What a field of a config is. */
export interface ConfigField {
  /** What it has to hold; `any` where nothing depends on it and Python does not check it either. */
  readonly kind: FieldKind
  /** Whether null is a value of it. */
  readonly nullable?: boolean
  /** What it is where a config does not have it: the default of the family's config class in transformers 5.24. */
  readonly default: Json
  /**
   * `honoured`: the model or its training is as the field says. `irrelevant`: nothing here depends on it; it is kept and
   * saved. `refused`: it would change what the model computes, and is an error at anything but {@link harmless} values.
   */
  readonly effect: 'honoured' | 'irrelevant' | 'refused'
  /** What it decides, or why nothing depends on it, or why it is refused. */
  readonly purpose: string
  /** The largest size that is believed: a header's number decides how much is built. */
  readonly most?: number
  /** Of a refused field: values beside the default under which it changes nothing, in JSON. */
  readonly harmless?: readonly Json[]
}

/** What a field has to hold. */
export type FieldKind =
  | 'size' // a whole number of at least 1
  | 'token' // a token's id: a whole number from 0 to below the vocabulary's size
  | 'whole' // a whole number of either sign
  | 'number' // a finite number of at least 0
  | 'probability' // at least 0 and below 1
  | 'activation' // the name of one
  | 'dtype' // the name of a type of floating point numbers
  | 'boolean'
  | 'text'
  | 'names' // a list of texts, or one text of several with | between them
  | 'labels' // see models/labels
  | 'any'

export type ConfigFields = Readonly<Record<string, ConfigField>>

/** What is known of the configs of a family. */
export interface FamilyConfig {
  /** The fields that the family's config class states itself, in its order; every family has {@link commonFields} too. */
  readonly fields: ConfigFields
  /** Further ones that its model reads where a config has them; none unless given. */
  readonly read?: ConfigFields
  /** Fields that files carry which older versions of Python wrote, and that its class no longer states. */
  readonly olderFields?: ConfigFields
  /** Other names of fields: Python's `attribute_map`. */
  readonly aliases: Readonly<Record<string, string>>
  /** The fields of the model's width and of the number of heads that divides it. */
  readonly width: string
  readonly heads: string
  /** Whether positions are counted from after the padding id, as RoBERTa counts them. */
  readonly countsFromPadding: boolean
  /** Fields of a config as Python can read them too, where an older version wrote what it no longer takes. */
  readonly saved?: (config: ModelConfig) => Readonly<Record<string, Json>>
  /** What else a config can be wrong in, of those that are complete. */
  readonly check?: (config: ModelConfig) => ConfigProblem | undefined
}

/** What is wrong with a field of a config: how a sentence about it ends, and what to do. */
export interface ConfigProblem {
  readonly field: string
  readonly problem: string
  readonly fix?: string
}

/** A field of that effect, kind, default and purpose. */
export const field = (
  effect: ConfigField['effect'],
  kind: FieldKind,
  value: Json,
  purpose: string,
  more: Partial<ConfigField> = {},
): ConfigField => ({ kind, default: value, effect, purpose, ...more })

export const size = (value: number, most: number, purpose: string): ConfigField =>
  field('honoured', 'size', value, purpose, { most })
export const probability = (value: number, purpose: string): ConfigField =>
  field('honoured', 'probability', value, purpose)
export const unused = (kind: FieldKind, value: Json, purpose: string, more?: Partial<ConfigField>): ConfigField =>
  field('irrelevant', kind, value, purpose, more)
export const refused = (kind: FieldKind, value: Json, purpose: string, more?: Partial<ConfigField>): ConfigField =>
  field('refused', kind, value, purpose, more)

/** The largest sizes that are believed, far above those of any model of these families. */
export const limits = { layers: 1_000, heads: 65_536, width: 262_144, rows: 67_108_864 }

/** Fields of Python's base class, and those that files carry although no class states them. */
export const commonFields: ConfigFields = {
  model_type: field('honoured', 'any', null, 'the family'),
  num_labels: field('honoured', 'labels', null, 'how many labels: beats `id2label`, as in Python'),
  id2label: field('honoured', 'labels', null, 'how many labels, and their names', { nullable: true }),
  label2id: field(
    'honoured',
    'labels',
    null,
    'kept beside `id2label`; without that it counts for nothing, as in Python',
    {
      nullable: true,
    },
  ),
  problem_type: field('honoured', 'labels', null, 'the loss; null: the first labels decide', { nullable: true }),
  dtype: field('irrelevant', 'dtype', null, 'weights are float32 here, whatever type they are stored in', {
    nullable: true,
  }),
  torch_dtype: field('irrelevant', 'dtype', null, 'the old name of `dtype`', { nullable: true }),
  quantization_config: refused('any', null, 'quantized weights are codes, not numbers'),
  position_embedding_type: refused('any', null, 'positions relative to each other are not there', {
    harmless: ['absolute'],
  }),
  pruned_heads: refused('any', null, 'heads that Python 4 removed from the weights', { harmless: [{}] }),
  per_layer_config: refused('any', null, 'layers that differ from each other are not there', { harmless: [{}] }),
  architectures: unused('any', null, 'the class of the head that is saved'),
  cls_token_id: unused('any', null, 'the tokenizer has it'),
  sep_token_id: unused('any', null, 'the tokenizer has it'),
  mask_token_id: unused('any', null, 'the tokenizer has it'),
  unk_token_id: unused('any', null, 'the tokenizer has it'),
  transformers_version: unused('any', null, 'who wrote the file'),
  _name_or_path: unused('any', null, 'where Python loaded it from'),
  output_hidden_states: unused('any', false, 'a further output in Python'),
  output_attentions: unused('any', false, 'a further output in Python'),
  return_dict: unused('any', true, "the form of Python's outputs"),
  chunk_size_feed_forward: unused('any', 0, 'memory in Python; the numbers are the same'),
  is_encoder_decoder: unused('any', false, 'nothing without a decoder'),
  gradient_checkpointing: unused('any', null, 'an argument of training: `gradientCheckpointing`'),
}

/** Of BERT's configs. */
export const bertFields: ConfigFields = {
  vocab_size: size(30_522, limits.rows, 'rows of the table of tokens'),
  hidden_size: size(768, limits.width, "the encoder's width"),
  num_hidden_layers: size(12, limits.layers, 'layers'),
  num_attention_heads: size(12, limits.heads, 'heads of attention, which divide the width'),
  intermediate_size: size(3072, limits.width, 'the inner width of a layer'),
  hidden_act: field('honoured', 'activation', 'gelu', 'the function between the two products of a layer'),
  hidden_dropout_prob: probability(0.1, 'dropout of embeddings and layers'),
  attention_probs_dropout_prob: probability(0.1, 'dropout of attention'),
  max_position_embeddings: size(512, limits.rows, 'rows of the table of positions'),
  type_vocab_size: size(2, limits.rows, 'rows of the table of segments'),
  initializer_range: field('honoured', 'number', 0.02, 'the deviation of weights that start at random'),
  layer_norm_eps: field('honoured', 'number', 1e-12, 'what layer normalization adds to the variance'),
  pad_token_id: field('honoured', 'token', 0, 'the row of the table of tokens that is not trained', { nullable: true }),
  use_cache: unused('boolean', true, 'of decoders that generate'),
  classifier_dropout: field('honoured', 'probability', null, 'dropout in the head; null: `hidden_dropout_prob`', {
    nullable: true,
  }),
  is_decoder: refused('boolean', false, 'attention to earlier tokens alone is not there'),
  add_cross_attention: refused('boolean', false, 'attention to an encoder is not there'),
  bos_token_id: unused('any', null, 'the tokenizer has it'),
  eos_token_id: unused('any', null, 'the tokenizer has it'),
  tie_word_embeddings: field('honoured', 'boolean', true, 'hidden words are guessed by the table of words'),
}

const robertaFields: ConfigFields = {
  ...bertFields,
  pad_token_id: field('honoured', 'token', 1, 'as for bert; and positions are counted from the one after it'),
  bos_token_id: unused('any', 0, 'the tokenizer has it'),
  eos_token_id: unused('any', 2, 'the tokenizer has it'),
}

/** What BERT's kin call the width and the heads. */
export const bertNames = { aliases: {}, width: 'hidden_size', heads: 'num_attention_heads', countsFromPadding: false }

/** BERT's fields. */
export const bertConfig: FamilyConfig = { ...bertNames, fields: bertFields }

/** XLM-RoBERTa's and CamemBERT's fields. */
export const xlmRobertaConfig: FamilyConfig = { ...bertNames, fields: robertaFields, countsFromPadding: true }

/** RoBERTa's fields: a vocabulary of its own. */
export const robertaConfig: FamilyConfig = {
  ...xlmRobertaConfig,
  fields: { ...robertaFields, vocab_size: size(50_265, limits.rows, 'rows of the table of tokens') },
}

/** ELECTRA's fields: smaller defaults, and narrower embeddings. */
export const electraConfig: FamilyConfig = {
  ...bertNames,
  fields: {
    ...bertFields,
    embedding_size: size(128, limits.width, "the tables' width"),
    hidden_size: size(256, limits.width, "the encoder's width"),
    num_attention_heads: size(4, limits.heads, 'heads of attention, which divide the width'),
    intermediate_size: size(1024, limits.width, 'the inner width of a layer'),
    summary_type: field('honoured', 'text', 'first', "what the head for multiple choice reads; only 'first' is there"),
    summary_use_proj: field('honoured', 'boolean', true, 'a product in the head for multiple choice'),
    summary_activation: field('honoured', 'text', 'gelu', 'the function in that head; none where empty'),
    summary_last_dropout: probability(0.1, 'dropout in that head'),
  },
}

/** DistilBERT's fields: names of its own. */
export const distilbertConfig: FamilyConfig = {
  fields: {
    vocab_size: size(30_522, limits.rows, 'rows of the table of tokens'),
    max_position_embeddings: size(512, limits.rows, 'rows of the table of positions'),
    sinusoidal_pos_embds: field('honoured', 'boolean', false, 'positions that no file has start as sines and cosines'),
    n_layers: size(6, limits.layers, 'layers'),
    n_heads: size(12, limits.heads, 'heads of attention, which divide the width'),
    dim: size(768, limits.width, "the encoder's width"),
    hidden_dim: size(3072, limits.width, 'the inner width of a layer'),
    dropout: probability(0.1, 'dropout of embeddings and layers'),
    attention_dropout: probability(0.1, 'dropout of attention'),
    activation: field('honoured', 'activation', 'gelu', 'the function between the two products of a layer'),
    initializer_range: field('honoured', 'number', 0.02, 'the deviation of weights that start at random'),
    qa_dropout: probability(0.1, 'dropout in the head for questions'),
    seq_classif_dropout: probability(0.2, 'dropout in the head'),
    pad_token_id: bertFields.pad_token_id!,
    eos_token_id: unused('any', null, 'the tokenizer has it'),
    bos_token_id: unused('any', null, 'the tokenizer has it'),
    tie_word_embeddings: field('honoured', 'boolean', true, 'hidden words are guessed by the table of words'),
  },
  aliases: { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' },
  width: 'dim',
  heads: 'n_heads',
  countsFromPadding: false,
}

/** ALBERT's fields: layers that share their parameters, and narrower embeddings. */
export const albertConfig: FamilyConfig = {
  ...bertNames,
  fields: {
    vocab_size: size(30_000, limits.rows, 'rows of the table of tokens'),
    embedding_size: size(128, limits.width, "the tables' width"),
    hidden_size: size(4096, limits.width, "the encoder's width"),
    num_hidden_layers: size(12, limits.layers, 'how often a group of layers is run'),
    num_hidden_groups: size(1, limits.layers, 'groups of layers that have parameters of their own'),
    num_attention_heads: size(64, limits.heads, 'heads of attention, which divide the width'),
    intermediate_size: size(16_384, limits.width, 'the inner width of a layer'),
    inner_group_num: size(1, limits.layers, 'layers of a group'),
    hidden_act: field('honoured', 'activation', 'gelu_new', 'the function between the two products of a layer'),
    hidden_dropout_prob: probability(0, 'dropout of embeddings and of what attention gives'),
    attention_probs_dropout_prob: probability(0, 'dropout of attention'),
    max_position_embeddings: bertFields.max_position_embeddings!,
    type_vocab_size: bertFields.type_vocab_size!,
    initializer_range: bertFields.initializer_range!,
    layer_norm_eps: bertFields.layer_norm_eps!,
    classifier_dropout_prob: probability(0.1, 'dropout in the head'),
    pad_token_id: bertFields.pad_token_id!,
    bos_token_id: unused('any', 2, 'the tokenizer has it'),
    eos_token_id: unused('any', 3, 'the tokenizer has it'),
    tie_word_embeddings: bertFields.tie_word_embeddings!,
  },
  olderFields: {
    down_scale_factor: unused('any', null, 'of the original program; Python ignores it too'),
    gap_size: unused('any', null, 'of the original program; Python ignores it too'),
    net_structure_type: unused('any', null, 'of the original program; Python ignores it too'),
    num_memory_blocks: unused('any', null, 'of the original program; Python ignores it too'),
    layers_to_keep: unused('any', null, 'of the original program; Python ignores it too'),
  },
  check: ({ num_hidden_groups: groups, num_hidden_layers: layers }) =>
    Number(groups) <= Number(layers)
      ? undefined
      : {
          field: 'num_hidden_groups',
          problem: `but only ${String(layers)} layers ("num_hidden_layers"): some groups would never be used`,
          fix: 'Give it at most as many groups as layers.',
        },
}
