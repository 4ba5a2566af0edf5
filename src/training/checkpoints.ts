import { modelFiles, type SavedParts } from '../auto/saveModel'
import type { CallbackHandler } from '../callbacks/CallbackHandler'
import type { TrainerControl } from '../callbacks/TrainerControl'
import { TrainerState } from '../callbacks/TrainerState'
import { writeModelFiles } from '../checkpoint/exportModel'
import { checkpointPath, rotateCheckpoints } from '../checkpoint/rotate'
import { type CheckpointState, saveCheckpointState } from '../checkpoint/state'
import { writeFolder } from '../files/folder'
import type { ParameterStore } from '../parameters/ParameterStore'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import { bestCheckpoint } from './bestModel'
import { runKey, type RunSnapshot } from './RunSnapshot'

/** What a checkpoint is made of. */
export interface CheckpointParts extends SavedParts {
  readonly args: TrainingArguments
  readonly state: TrainerState
  readonly control: TrainerControl
  readonly callbacks: CallbackHandler
  readonly run: RunSnapshot
  readonly store: ParameterStore
}

/** What the trainer's state says of a checkpoint that was written. */
export type CheckpointFacts = Pick<TrainerState, 'bestModelCheckpoint' | 'statefulCallbacks'>

/**
 * Writes `checkpoint-N` of the arguments' folder, and removes those that are too many. The folder is whole or not there.
 * @returns the path of the best checkpoint, if one is there now, and the states of the callbacks in it.
 */
export async function saveCheckpoint(parts: CheckpointParts): Promise<CheckpointFacts> {
  const { args, state, run } = parts
  const facts: CheckpointFacts = {
    bestModelCheckpoint: await bestCheckpoint(args.outputDir, state),
    statefulCallbacks: {
      ...parts.callbacks.exportStates(parts.control),
      [runKey]: { args: {}, attributes: { ...run.numbers } },
    },
  }
  const kept = await stateOf(parts, facts)
  await writeFolder(checkpointPath(args.outputDir, state.globalStep), async folder => {
    await writeModelFiles(folder, modelFiles(parts))
    await saveCheckpointState(folder, kept)
  })
  await rotateCheckpoints(args.outputDir, {
    limit: args.saveTotalLimit,
    newest: state.globalStep,
    best: facts.bestModelCheckpoint,
  })
  return facts
}

async function stateOf(
  { args, state, run, store, trainingArguments }: CheckpointParts,
  facts: CheckpointFacts,
): Promise<CheckpointState> {
  const trainerState = new TrainerState({ ...state, ...facts }).toJSON()
  if (args.saveOnlyModel) return { trainerState, trainingArguments }
  return {
    trainerState,
    trainingArguments,
    optimizer: { ...run.optimizer!, slots: await slotsOf(store) },
    scheduler: run.scheduler,
    // dropout and data order are functions of these and of the step
    rng: { generator: 'counter-based', seed: args.seed, data_seed: args.dataSeed ?? args.seed },
  }
}

/** The slots by parameter, then by their names. */
async function slotsOf(store: ParameterStore): Promise<Map<string, Record<string, Tensor>>> {
  const slots = new Map<string, Record<string, Tensor>>()
  for await (const [name, tensor] of store.read('slots')) {
    const dot = name.lastIndexOf('.')
    const parameter = name.slice(0, dot)
    slots.set(parameter, { ...slots.get(parameter), [name.slice(dot + 1)]: tensor })
  }
  return slots
}
