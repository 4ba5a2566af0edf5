// adapter_config.json ↔ the options of an adapter
import { join } from 'node:path'

import { nearest, TrainerError } from '../errors'
import { readJsonObject } from '../files/json'
import { adapterConfigName } from '../files/weights'
import type { Json, JsonObject } from '../json'
import { type LoraConfig, peftNames, type PeftTask, peftTasks, withLoraDefaults } from './LoraConfig'
import { toPython } from './patterns'

/** The model that an adapter was trained on. */
export interface AdapterBase {
  /** Its id or folder. */
  readonly name: string | undefined
  /** The commit or branch of its repository; without one the main branch is meant. */
  readonly revision: string | undefined
}

/** What a folder of an adapter says of it. */
export interface AdapterConfig {
  readonly lora: LoraConfig
  readonly base: AdapterBase
}

/** Fields that say nothing of what is computed. */
const silent = new Set([
  'auto_mapping',
  'eva_config',
  'inference_mode',
  'megatron_core',
  'peft_type',
  'peft_version',
  'qalora_group_size',
  'runtime_config',
])

const known = new Set([...Object.values(peftNames), ...silent, 'base_model_name_or_path', 'revision'])

/** Ways to start that draw A and B otherwise, and leave everything else as it is. */
const otherDraws: ReadonlySet<Json> = new Set(['eva', 'orthogonal'])

/** Ways to start that change the base's weights: the adapter alone does not say what was trained. */
const changingTheBase = /^(pissa|olora|corda|loftq|lora_ga)/

/**
 * An adapter's config.
 * @throws TrainerError ('file') for one that is missing or no JSON, ('model') for an adapter of a kind that is not
 * supported, or a field that is not, by its name.
 */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const path = join(folder, adapterConfigName)
  const config = await readJsonObject(path)
  if (config['peft_type'] !== 'LORA') throw unsupported(path, 'peft_type', config['peft_type'] ?? null, onlyLora)
  for (const [name, value] of Object.entries(config))
    if (!known.has(name) && isSet(value)) throw unknownField(path, name, value!)
  const start = startOf(config['init_lora_weights'], path)
  const given = Object.entries(peftNames).flatMap(([name, field]) => {
    const value = name === 'initLoraWeights' ? start : config[field]
    return isSet(value) || value === false ? [[name, value]] : []
  })
  const lora = Object.fromEntries(given) as LoraConfig
  if (lora.taskType !== undefined && !(lora.taskType in peftTasks))
    throw unsupported(path, 'task_type', lora.taskType, 'Encoders are trained here, with heads of their own.')
  return { lora, base: { name: textOf(config['base_model_name_or_path']), revision: textOf(config['revision']) } }
}

/** How A and B have started, where that is all that the start has changed. */
function startOf(value: Json | undefined, path: string): Json | undefined {
  if (typeof value !== 'string') return value
  const start = value.toLowerCase()
  if (start === 'gaussian') return start
  if (otherDraws.has(start)) return true
  const why = 'The adapter belongs to a base whose weights were changed when its training began.'
  const fix = 'Convert it in Python: model.save_pretrained(folder, path_initial_model_for_weight_conversion=…).'
  throw unsupported(path, 'init_lora_weights', value, changingTheBase.test(start) ? `${why} ${fix}` : merge)
}

/** The content of an adapter's config, as PEFT writes it. */
export function adapterConfigJson(
  lora: LoraConfig & { readonly targetModules: string | readonly string[] | RegExp },
  base: AdapterBase,
  taskType: PeftTask | undefined,
): JsonObject {
  const pattern = (value: string | readonly string[] | RegExp | undefined): Json =>
    value instanceof RegExp ? toPython(value) : (value ?? null)
  const all: LoraConfig = withLoraDefaults(lora)
  const named = Object.entries(peftNames).map(([name, field]) => [field, all[name as keyof LoraConfig] ?? null])
  return {
    ...(Object.fromEntries(named) as JsonObject),
    target_modules: pattern(lora.targetModules),
    exclude_modules: pattern(lora.excludeModules),
    base_model_name_or_path: base.name ?? null,
    inference_mode: true,
    peft_type: 'LORA',
    revision: base.revision ?? null,
    task_type: taskType ?? null,
  }
}

const merge = 'Merge the adapter into its base in Python (merge_and_unload), and give the folder of what comes out.'

const onlyLora = "Low-rank adapters are supported: peft_type 'LORA'."

function isSet(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function unsupported(path: string, field: string, value: Json, fix: string): TrainerError {
  return new TrainerError('model', `${path} has "${field}": ${JSON.stringify(value)}, which is not supported.`, { fix })
}

function unknownField(path: string, name: string, value: Json): TrainerError {
  const close = nearest(name, known)
  return unsupported(path, name, value, close === undefined ? merge : `Did it mean "${close}"? ${merge}`)
}
