import { nearest, TrainerError } from '../errors'
import { type ProblemType, problemTypes } from '../heads/sequenceClassification'

/** A model's `config.json`, under Python's names. Fields that are not known here are kept as they are. */
export interface ModelConfig {
  readonly model_type: string
  readonly id2label?: Readonly<Record<string, string>>
  readonly label2id?: Readonly<Record<string, number>>
  readonly problem_type?: ProblemType | null
  readonly [field: string]: unknown
}

/** A whole number from the config. @throws TrainerError when it is missing or something else. */
export function integerField(config: ModelConfig, field: string, fallback?: number): number {
  const value = config[field] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value)) throw fieldError(config, field, 'a whole number', value)
  return value
}

/**
 * A whole number of at least 1 from the config: a width, or how many there are of something.
 * @throws TrainerError when it is missing or something else.
 */
export function sizeField(config: ModelConfig, field: string, fallback?: number): number {
  const value = config[field] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw fieldError(config, field, 'a whole number of at least 1', value)
  return value
}

/**
 * The width of one attention head.
 * @throws TrainerError when the model's width is not a multiple of the number of heads.
 */
export function headSizeOf(config: ModelConfig, widthField: string, headsField: string): number {
  const width = sizeField(config, widthField)
  const heads = sizeField(config, headsField)
  if (width % heads !== 0) {
    const problem = `"${widthField}" ${width}, which cannot be divided among ${heads} heads ("${headsField}")`
    throw new TrainerError('model', `The config of this ${config.model_type} model has ${problem}.`)
  }
  return width / heads
}

/** A number from the config. @throws TrainerError when it is missing or something else. */
export function numberField(config: ModelConfig, field: string, fallback?: number): number {
  const value = config[field] ?? fallback
  if (typeof value !== 'number') throw fieldError(config, field, 'a number', value)
  return value
}

/** A probability from the config, in [0, 1). @throws TrainerError when it is something else. */
export function probabilityField(config: ModelConfig, field: string, fallback?: number): number {
  const value = numberField(config, field, fallback)
  if (value < 0 || value >= 1) throw fieldError(config, field, 'a probability of at least 0 and below 1', value)
  return value
}

/** A text from the config. @throws TrainerError when it is missing or something else. */
export function textField(config: ModelConfig, field: string, fallback?: string): string {
  const value = config[field] ?? fallback
  if (typeof value !== 'string') throw fieldError(config, field, 'a text', value)
  return value
}

/**
 * The padding token's id; undefined where the config says that there is none (null).
 * @throws TrainerError when it is something else.
 */
export function paddingId(config: ModelConfig, fallback: number): number | undefined {
  return config.pad_token_id === null ? undefined : integerField(config, 'pad_token_id', fallback)
}

/** How many labels the head has: the size of `id2label`, or 2 as Hugging Face takes it. */
export function labelCount(config: ModelConfig): number {
  return config.id2label === undefined || config.id2label === null ? 2 : Object.keys(config.id2label).length
}

/** How many labels there are to be, and what they are called. */
export interface LabelOptions {
  readonly numLabels?: number | undefined
  readonly id2label?: Readonly<Record<string, string>> | readonly string[] | undefined
  readonly label2id?: Readonly<Record<string, number>> | undefined
}

/**
 * The config with labels: given names, or LABEL_0 … for a number of them, as Hugging Face writes them.
 * @throws TrainerError when the two disagree.
 */
export function withLabels(config: ModelConfig, labels: LabelOptions): ModelConfig {
  const names = labels.id2label === undefined ? undefined : Object.values(labels.id2label)
  const count = labels.numLabels ?? names?.length
  if (count === undefined) return config
  if (!Number.isInteger(count) || count < 1)
    throw new TrainerError('argument', `numLabels has to be a whole number of at least 1, not ${count}.`)
  if (names !== undefined && names.length !== count) {
    throw new TrainerError('argument', `numLabels is ${count}, but id2label names ${names.length} labels.`, {
      fix: 'Give only one of the two, or make them agree.',
    })
  }
  if (names === undefined && labelCount(config) === count && config.id2label !== undefined) return config
  const id2label = Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), names?.[i] ?? `LABEL_${i}`]))
  return {
    ...config,
    id2label,
    label2id: labels.label2id ?? Object.fromEntries(Object.entries(id2label).map(([id, name]) => [name, Number(id)])),
  }
}

/**
 * The config with a problem type, where one is given.
 * @throws TrainerError when that, or what the config says itself, is none of Hugging Face's three.
 */
export function withProblemType(config: ModelConfig, given: ProblemType | undefined): ModelConfig {
  const type = given ?? config.problem_type ?? undefined
  if (type === undefined || problemTypes.includes(type))
    return given === undefined ? config : { ...config, problem_type: given }
  const close = nearest(String(type), problemTypes)
  throw new TrainerError(
    'argument',
    `The problem type ${JSON.stringify(type)} is not known; these are: ${problemTypes.join(', ')}.`,
    {
      fix: close === undefined ? 'Correct problemType, or problem_type in config.json.' : `Did you mean "${close}"?`,
    },
  )
}

function fieldError(config: ModelConfig, field: string, expected: string, given: unknown): TrainerError {
  const found = given === undefined ? 'missing' : JSON.stringify(given)
  return new TrainerError(
    'model',
    `The config of this ${config.model_type} model needs "${field}" as ${expected}, but it is ${found}.`,
  )
}
