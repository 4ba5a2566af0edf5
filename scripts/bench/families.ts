// model families → their configs in a shape, by the fields that transformers reads too
import { TrainerError } from '../../src/errors'
import type { ModelConfig } from '../../src/index'
import { architectures } from '../../src/models/registry'
import { shapes, type ShapeName } from './options'

const vocabulary = 30522

/** What a family's config has beside the sizes; numbers are those of its well-known checkpoints. */
const particular: Readonly<Record<string, (width: number) => Partial<ModelConfig>>> = {
  // positions are counted from the padding id, which is that of the tokenizer of the rows
  roberta: () => ({ type_vocab_size: 1, max_position_embeddings: 514 }),
  'xlm-roberta': () => ({ type_vocab_size: 1, max_position_embeddings: 514 }),
  camembert: () => ({ type_vocab_size: 1, max_position_embeddings: 514 }),
  electra: () => ({ embedding_size: 128 }),
  albert: () => ({ embedding_size: 128, hidden_act: 'gelu_new' }),
  mpnet: () => ({ type_vocab_size: undefined, max_position_embeddings: 514, relative_attention_num_buckets: 32 }),
  'deberta-v2': () => ({
    type_vocab_size: 0,
    relative_attention: true,
    position_buckets: 256,
    norm_rel_ebd: 'layer_norm',
    share_att_key: true,
    pos_att_type: ['p2c', 'c2p'],
    position_biased_input: false,
    max_relative_positions: -1,
  }),
  modernbert: width => ({
    type_vocab_size: undefined,
    hidden_act: undefined,
    max_position_embeddings: 8192,
    intermediate_size: 1.5 * width, // its first product is twice as wide
  }),
}

/** The config of a family in a shape, with the vocabulary of the rows' tokenizer. */
export function configOf(family: string, shape: ShapeName): ModelConfig {
  const { layers, width, heads } = shapes[shape]
  const common = { model_type: family, vocab_size: vocabulary, pad_token_id: 0, initializer_range: 0.02 }
  if (family === 'distilbert') {
    const sizes = { n_layers: layers, dim: width, n_heads: heads, hidden_dim: 4 * width }
    return { ...common, ...sizes, max_position_embeddings: 512, activation: 'gelu' }
  }
  const config = {
    ...common,
    num_hidden_layers: layers,
    hidden_size: width,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    ...particular[family]?.(width),
  }
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined)) as ModelConfig
}

/** The probabilities of dropout that a config has, all with one value. */
export function dropoutOf(config: ModelConfig, value: number): Readonly<Record<string, number>> {
  const { fields } = architectures[config.model_type]!.config
  const names = Object.keys(fields).filter(name => name.includes('dropout') && fields[name]!.kind === 'probability')
  return Object.fromEntries(names.map(name => [name, value]))
}

/** Whether a model of this config tells the second text of a pair from the first by `token_type_ids`. */
export function hasSegments(config: ModelConfig): boolean {
  return Number(config['type_vocab_size'] ?? 0) > 1
}

/** @throws TrainerError for a model of another family or shape. */
export function checkShape(config: ModelConfig, family: string, shape: ShapeName, model: string | undefined): void {
  const { layers, width } = shapes[shape]
  const found = {
    family: config.model_type,
    layers: config['num_hidden_layers'] ?? config['n_layers'],
    width: config['hidden_size'] ?? config['dim'],
    vocabulary: config['vocab_size'],
  }
  if (found.family === family && found.layers === layers && found.width === width && found.vocabulary === vocabulary)
    return
  throw new TrainerError(
    'argument',
    `--family ${family} --shape ${shape} is ${family}, ${layers}×${width} with a vocabulary of ${vocabulary}, but the ` +
      `model in ${model ?? ''} is ${found.family}, ${found.layers}×${found.width} with ${found.vocabulary}.`,
    { fix: 'Leave --model out for random weights.' },
  )
}
