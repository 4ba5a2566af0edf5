import {
  AutoModelForSequenceClassification,
  type DataCollator,
  Dataset,
  type ModelConfig,
  Tensor,
  Trainer,
  type TrainingArgumentsOptions,
} from '../../src/index'

/** What is trained. */
export interface Case {
  readonly rows: number
  readonly length: number
  readonly config: ModelConfig
  readonly args?: TrainingArgumentsOptions
}

const bert = (width: number, layers: number, heads: number): Case['config'] => ({
  ...{ model_type: 'bert', vocab_size: 20000, max_position_embeddings: 512 },
  ...{ hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads, intermediate_size: 4 * width },
})
const small = { config: bert(128, 4, 2), length: 256 }
const minilm = { config: bert(384, 6, 12), length: 128 }
const wide = { config: bert(512, 4, 8), length: 384 }
const distilbert = {
  ...{ model_type: 'distilbert', vocab_size: 30522, max_position_embeddings: 512 },
  ...{ dim: 384, n_layers: 4, n_heads: 6, hidden_dim: 1536 },
}
const deberta = {
  ...{ model_type: 'deberta-v2', vocab_size: 20000, max_position_embeddings: 512, hidden_size: 384 },
  ...{ num_hidden_layers: 4, num_attention_heads: 6, intermediate_size: 1536, type_vocab_size: 0 },
  ...{ relative_attention: true, position_buckets: 256, norm_rel_ebd: 'layer_norm', share_att_key: true },
  ...{ pos_att_type: ['p2c', 'c2p'], position_biased_input: false, max_relative_positions: -1 },
}

/** Three shapes by two sizes of batches, and others that nothing was made for. */
export const cases: Readonly<Record<string, Case | undefined>> = {
  'small-8': { ...small, rows: 8 },
  'small-16': { ...small, rows: 16 },
  'minilm-8': { ...minilm, rows: 8 },
  'minilm-16': { ...minilm, rows: 16 },
  'wide-8': { ...wide, rows: 8 },
  'wide-16': { ...wide, rows: 16 },
  checkpointing: { ...minilm, rows: 8, args: { gradientCheckpointing: true } },
  adafactor: { ...minilm, rows: 8, args: { optim: 'adafactor' } },
  sgd: { ...minilm, rows: 8, args: { optim: 'sgd' } },
  accumulation: { ...minilm, rows: 8, args: { gradientAccumulationSteps: 2 } },
  'bert-12': { config: bert(256, 8, 4), length: 200, rows: 12 },
  distilbert: { config: distilbert, length: 96, rows: 24 },
  'distilbert-checkpointing': { config: distilbert, length: 300, rows: 12, args: { gradientCheckpointing: true } },
  deberta: { config: deberta, length: 160, rows: 6 },
}

/** A Trainer of random weights, on random rows of a few lengths. */
export function trainerOf({ rows, length, config, args }: Case, outputDir: string): Trainer {
  const steps = args?.gradientAccumulationSteps ?? 1
  const data = Array.from({ length: rows * 3 * steps }, (_, row) => {
    const ids = Array.from({ length: length - (row % 7) }, (_id, at) => 1 + ((row * 7 + at * 11) % 99))
    return { input_ids: ids, attention_mask: ids.map(() => 1), label: row % 2 }
  })
  const model = AutoModelForSequenceClassification.fromConfig(config, { numLabels: 2 })
  const given = {
    outputDir,
    perDeviceTrainBatchSize: rows,
    maxSteps: 3,
    saveStrategy: 'no',
    disableTqdm: true,
    ...args,
  } as const
  return new Trainer({ model, args: given, trainDataset: Dataset.fromRows(data), dataCollator: padded })
}

/** One of a model so small that it takes nothing. */
export function smallTrainer(outputDir: string): Trainer {
  return trainerOf({ rows: 2, length: 10, config: { ...bert(8, 1, 2), vocab_size: 100 } }, outputDir)
}

const padded: DataCollator = given => {
  const rows = given as readonly { readonly input_ids: readonly number[]; readonly label: number }[]
  const longest = Math.max(...rows.map(({ input_ids: ids }) => ids.length))
  const tensor = (of: (row: (typeof rows)[number]) => readonly number[]): Tensor => {
    const numbers = rows.flatMap(row => [...of(row), ...new Array<number>(longest - row.input_ids.length).fill(0)])
    return new Tensor('int32', Int32Array.from(numbers), [rows.length, longest])
  }
  return {
    input_ids: tensor(row => row.input_ids),
    attention_mask: tensor(row => row.input_ids.map(() => 1)),
    labels: new Tensor(
      'int32',
      Int32Array.from(rows, ({ label }) => label),
      [rows.length],
    ),
  }
}
