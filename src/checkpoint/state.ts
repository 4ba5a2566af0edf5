import { join } from 'node:path'

import { TrainerError } from '../errors'
import type { Tensor } from '../tensor'
import { listFolder } from '../files/paths'
import { readJson, readJsonObject, writeJson } from '../files/json'
import { openSafetensors, readSafetensors } from '../files/safetensors'
import { adapterConfigName, adapterFiles, hasWholeWeights } from '../files/weights'
import { writeSafetensors } from '../files/writeSafetensors'
import { isJsonObject, type JsonObject } from '../json'

/** What an optimizer remembers between updates. */
export interface OptimizerState {
  /** The optimizer's name, so that another optimizer does not take over its slots by mistake. */
  readonly name: string
  /** Updates done. */
  readonly step: number
  /** By parameter, then by slot (`exp_avg`); a slot's name has no dot. */
  readonly slots: ReadonlyMap<string, Readonly<Record<string, Tensor>>>
}

/** What a checkpoint has besides the model. The first three are absent with `saveOnlyModel`. */
export interface CheckpointState {
  readonly optimizer?: OptimizerState | undefined
  /** The state of the schedule, such as the best metric of a plateau. */
  readonly scheduler?: JsonObject | undefined
  /** Seeds and counters of the random generators. */
  readonly rng?: JsonObject | undefined
  /** `trainer_state.json`, in Hugging Face's spelling: what `TrainerState` writes and reads. */
  readonly trainerState: Readonly<Record<string, unknown>>
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

/** Whether a file of a checkpoint says how training stands, and is no part of the model. */
export function isStateFile(name: string): boolean {
  return [files.optimizer, files.scheduler, files.rng, files.trainerState].some(one => one === name)
}

/**
 * Writes what a checkpoint has besides the model into an existing folder; trainer_state.json comes last, as in Hugging
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
 * Reads what a checkpoint has besides the model; what it does not have is undefined.
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
export async function saveTrainerState(folder: string, state: CheckpointState['trainerState']): Promise<void> {
  await writeJson(join(folder, files.trainerState), state, { sorted: true })
}

/**
 * Reads `trainer_state.json`, also one of Python's with its NaN and Infinity.
 * @throws TrainerError (`file`) when it is missing, or has no global_step.
 */
export async function loadTrainerState(folder: string): Promise<JsonObject> {
  const path = join(folder, files.trainerState)
  const state = await readJsonObject(path)
  if (!Number.isSafeInteger(state['global_step'])) {
    throw new TrainerError(
      'file',
      `${path} should have a whole global_step, not ${JSON.stringify(state['global_step'])}.`,
      { fix: 'Resume from another checkpoint.' },
    )
  }
  return state
}

/** Writes `optimizer.safetensors`: tensors named PARAMETER.SLOT, the name and the step count as metadata. */
async function saveOptimizer(folder: string, { name, step, slots }: OptimizerState): Promise<void> {
  const tensors = [...slots].flatMap(([parameter, bySlot]) =>
    Object.entries(bySlot).map(([slot, tensor]): readonly [string, Tensor] => {
      if (slot.includes('.')) {
        throw new TrainerError(
          'argument',
          `The optimizer ${name} has a slot '${slot}', but the name of a slot must not have a dot.`,
          { fix: 'Rename it in init and update.' },
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
 * The files that a folder lacks to be resumed from, missing or broken; empty for a whole checkpoint. One that was saved
 * with `saveOnlyModel` is whole with its weights and trainer_state.json alone.
 */
export async function missingFromCheckpoint(folder: string): Promise<string[]> {
  const names = await listFolder(folder)
  const missing: string[] = []
  const weights = names.includes(adapterConfigName) ? adapterFiles[0]! : 'model.safetensors'
  if (!(await hasWholeWeights(folder))) missing.push(weights)
  if (!(await isReadable(() => loadTrainerState(folder)))) missing.push(files.trainerState)
  const openOptimizer = async (): Promise<void> => (await openSafetensors(join(folder, files.optimizer))).close()
  if (names.includes(files.optimizer) && !(await isReadable(openOptimizer))) missing.push(files.optimizer)
  for (const name of [files.scheduler, files.rng]) {
    if (names.includes(name) && !(await isReadable(() => readJsonObject(join(folder, name))))) missing.push(name)
  }
  // The three are written together: if only some are there, another program was killed while it saved.
  const parts = [files.optimizer, files.scheduler, files.rng].filter(name => !names.includes(name))
  if (parts.length < 3) missing.push(...parts)
  return missing
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
