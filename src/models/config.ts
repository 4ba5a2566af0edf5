import { TrainerError } from '../errors'
import type { ProblemType } from '../heads/problemType'

/** A model's `config.json`, under Python's names. Fields that are not known here are kept as they are. */
export interface ModelConfig {
  readonly model_type: string
  readonly id2label?: Readonly<Record<string, string>> | null
  readonly label2id?: Readonly<Record<string, number>> | null
  readonly num_labels?: number
  readonly problem_type?: ProblemType | null
  readonly [field: string]: unknown
}

/** A whole number of at least 1 from the config: a width, or how many there are of something. */
export function sizeField(config: ModelConfig, field: string): number {
  return checkedField(config, field, (value): value is number => Number.isInteger(value) && (value as number) >= 1)
}

/** The width of one attention head. */
export function headSizeOf(config: ModelConfig, widthField: string, headsField: string): number {
  return sizeField(config, widthField) / sizeField(config, headsField)
}

/** A number from the config. */
export function numberField(config: ModelConfig, field: string): number {
  return checkedField(config, field, (value): value is number => typeof value === 'number')
}

/** A probability from the config, in [0, 1). */
export function probabilityField(config: ModelConfig, field: string): number {
  return checkedField(config, field, (value): value is number => (value as number) >= 0 && (value as number) < 1)
}

/** A text from the config. */
export function textField(config: ModelConfig, field: string): string {
  return checkedField(config, field, (value): value is string => typeof value === 'string')
}

/** The padding token's id; undefined where the config says that there is none (null). */
export function paddingId(config: ModelConfig): number | undefined {
  return config.pad_token_id === null ? undefined : numberField(config, 'pad_token_id')
}

/** Configs are complete and checked before a model is made of them (`models/checkConfig`). */
function checkedField<T>(config: ModelConfig, field: string, holds: (value: unknown) => value is T): T {
  const value = config[field]
  if (holds(value)) return value
  throw new TrainerError('internal', `internal: "${field}" of a ${config.model_type} config was not checked.`)
}
