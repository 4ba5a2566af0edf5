import { join } from 'node:path'

import { TrainerError } from '../errors'
import type { Tensor } from '../tensor'
import { listFolder } from '../files/files'
import { isJsonObject, readJson, readJsonObject, writeJson, type JsonObject } from '../files/json'
import { openSafetensors, readSafetensors } from '../files/safetensors'
import { hasWholeWeights } from '../files/weights'
import { writeSafetensors } from '../files/writeSafetensors'

/** What an optimizer remembers between updates. */
export interface OptimizerState {
  /** The optimizer's name, so that another one does not take its slots by mistake. */
  readonly name: string
  /** Updates done. */
  readonly step: number
  /** By parameter, then by slot (`exp_avg`); a slot's name has no dot. */
  readonly slots: ReadonlyMap<string, Readonly<Record<string, Tensor>>>
}

/** `trainer_state.json` as it stands on the disk, in Hugging Face's spelling. */
export interface TrainerStateFile {
  readonly best_global_step: number | null
  readonly best_metric: number | null
  readonly best_model_checkpoint: string | null
  readonly epoch: number | null
  readonly eval_steps: number
  readonly global_step: number
  readonly is_hyper_param_search: boolean
  readonly is_local_process_zero: boolean
  readonly is_world_process_zero: boolean
  readonly log_history: readonly JsonObject[]
  readonly logging_steps: number
  readonly max_steps: number
  readonly num_input_tokens_seen: number
  readonly num_train_epochs: number
  readonly save_steps: number
  readonly stateful_callbacks: JsonObject
  readonly total_flos: number
  readonly train_batch_size: number | null
  readonly trial_name: string | null
  readonly trial_params: JsonObject | null
}

/** What a checkpoint has beside the model. The first three are absent with save_only_model. */
export interface CheckpointState {
  readonly optimizer?: OptimizerState | undefined
  /** The schedule's own memory, such as plateau's best metric. */
  readonly scheduler?: JsonObject | undefined
  /** Seeds and counters of the random generators. */
  readonly rng?: JsonObject | undefined
  readonly trainerState: TrainerStateFile
  /** `training_args.json`, in Hugging Face's spelling. */
  readonly trainingArguments?: JsonObject | undefined
}

const files = {
  optimizer: 'optimizer.safetensors',
  scheduler: 'scheduler.json',
  rng: 'rng.json',
  trainerState: 'trainer_state.json',
  trainingArguments: 'training_args.json',
} as const

/**
 * Writes what a checkpoint has beside the model into an existing folder; trainer_state.json comes last, as in Hugging
 * Face.
 * @throws TrainerError (`file`) when a file cannot be written.
 */
export async function saveCheckpointState(folder: string, state: CheckpointState): Promise<void> {
  if (state.trainingArguments !== undefined)
    await writeJson(join(folder, files.trainingArguments), state.trainingArguments)
  if (state.optimizer !== undefined) await saveOptimizer(folder, state.optimizer)
  if (state.scheduler !== undefined) await writeJson(join(folder, files.scheduler), state.scheduler, { sorted: true })
  if (state.rng !== undefined) await writeJson(join(folder, files.rng), state.rng, { sorted: true })
  await saveTrainerState(folder, state.trainerState)
}

/**
 * Reads what a checkpoint has beside the model; what it does not have is undefined.
 * @throws TrainerError (`file`) when trainer_state.json is missing, or any file is malformed.
 */
export async function loadCheckpointState(folder: string): Promise<CheckpointState> {
  return {
    trainerState: await loadTrainerState(folder),
    optimizer: (await listFolder(folder)).includes(files.optimizer) ? await loadOptimizer(folder) : undefined,
    scheduler: await readOptional(join(folder, files.scheduler)),
    rng: await readOptional(join(folder, files.rng)),
    trainingArguments: await readOptional(join(folder, files.trainingArguments)),
  }
}

/** Writes `trainer_state.json`: valid JSON always, keys sorted. */
export async function saveTrainerState(folder: string, state: TrainerStateFile): Promise<void> {
  await writeJson(join(folder, files.trainerState), state, { sorted: true })
}

/**
 * Reads `trainer_state.json`, also Python's, with its NaN and Infinity. Fields that an older version did not write have
 * their defaults.
 * @throws TrainerError (`file`) when it is missing, or has no global_step.
 */
export async function loadTrainerState(folder: string): Promise<TrainerStateFile> {
  const path = join(folder, files.trainerState)
  const state = await readJsonObject(path)
  if (!Number.isSafeInteger(state['global_step'])) {
    throw new TrainerError(
      'file',
      `${path} should have a whole global_step, not ${JSON.stringify(state['global_step'])}.`,
      {
        fix: 'Resume from another checkpoint.',
      },
    )
  }
  return { ...emptyState, ...(state as object) }
}

/** Writes `optimizer.safetensors`: tensors named PARAMETER.SLOT, the name and the step count as metadata. */
async function saveOptimizer(folder: string, { name, step, slots }: OptimizerState): Promise<void> {
  const tensors = [...slots].flatMap(([parameter, bySlot]) =>
    Object.entries(bySlot).map(([slot, tensor]): readonly [string, Tensor] => {
      if (slot.includes('.')) {
        throw new TrainerError(
          'argument',
          `The optimizer ${name} has a slot '${slot}', but a slot may not have a dot in its name.`,
          {
            fix: 'Rename it in init and update.',
          },
        )
      }
      return [`${parameter}.${slot}`, tensor]
    }),
  )
  await writeSafetensors(join(folder, files.optimizer), tensors, { optimizer: name, step: String(step) })
}

/**
 * Reads `optimizer.safetensors`.
 * @throws TrainerError (`file`) when it is missing, malformed, or not written by `saveOptimizer`.
 */
async function loadOptimizer(folder: string): Promise<OptimizerState> {
  const path = join(folder, files.optimizer)
  const { tensors, metadata } = await readSafetensors(path)
  const step = Number(metadata['step'] ?? NaN)
  if (!Number.isSafeInteger(step)) {
    throw new TrainerError('file', `${path} has no step count in its metadata.`, {
      fix: 'Resume from another checkpoint, or start without the optimizer state.',
    })
  }
  const slots = new Map<string, Record<string, Tensor>>()
  for (const [full, tensor] of tensors) {
    const dot = full.lastIndexOf('.')
    const parameter = full.slice(0, dot)
    const bySlot = slots.get(parameter) ?? {}
    bySlot[full.slice(dot + 1)] = tensor
    slots.set(parameter, bySlot)
  }
  return { name: metadata['optimizer'] ?? '', step, slots }
}

/**
 * What a folder lacks to be resumed from: names of files that are missing or broken; empty for a complete checkpoint.
 * One that was saved with save_only_model is complete with its weights and trainer_state.json alone.
 */
export async function missingFromCheckpoint(folder: string): Promise<string[]> {
  const names = await listFolder(folder)
  const missing: string[] = []
  if (!names.includes('adapter_model.safetensors') && !(await hasWholeWeights(folder)))
    missing.push('model.safetensors')
  if (!(await isReadable(() => loadTrainerState(folder)))) missing.push(files.trainerState)
  const openOptimizer = async (): Promise<void> => (await openSafetensors(join(folder, files.optimizer))).close()
  if (names.includes(files.optimizer) && !(await isReadable(openOptimizer))) missing.push(files.optimizer)
  for (const name of [files.scheduler, files.rng]) {
    if (names.includes(name) && !(await isReadable(() => readJsonObject(join(folder, name))))) missing.push(name)
  }
  // The three are written together: one without the others is the rest of a killed save by another program.
  const parts = [files.optimizer, files.scheduler, files.rng].filter(name => !names.includes(name))
  if (parts.length < 3) missing.push(...parts)
  return missing
}

const emptyState: TrainerStateFile = {
  best_global_step: null,
  best_metric: null,
  best_model_checkpoint: null,
  epoch: null,
  eval_steps: 500,
  global_step: 0,
  is_hyper_param_search: false,
  is_local_process_zero: true,
  is_world_process_zero: true,
  log_history: [],
  logging_steps: 500,
  max_steps: 0,
  num_input_tokens_seen: 0,
  num_train_epochs: 0,
  save_steps: 500,
  stateful_callbacks: {},
  total_flos: 0,
  train_batch_size: null,
  trial_name: null,
  trial_params: null,
}

async function readOptional(path: string): Promise<JsonObject | undefined> {
  const value = await readJson(path)
  if (value === undefined || isJsonObject(value)) return value
  throw new TrainerError('file', `${path} should hold a JSON object.`, { fix: 'Resume from another checkpoint.' })
}

async function isReadable(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read()
    return true
  } catch (error) {
    if (error instanceof TrainerError) return false
    throw error
  }
}
