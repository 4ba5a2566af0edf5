import { modelFiles, type SavedParts } from '../auto/saveModel'
import type { CallbackHandler } from '../callbacks/CallbackHandler'
import type { TrainerControl } from '../callbacks/TrainerControl'
import { TrainerState } from '../callbacks/TrainerState'
import { writeModelFiles } from '../checkpoint/exportModel'
import { checkpointPath } from '../checkpoint/folders'
import { rotateCheckpoints } from '../checkpoint/rotate'
import { markFields, runKey, type RunMark, runOf } from '../checkpoint/runs'
import { type CheckpointState, saveCheckpointState } from '../checkpoint/state'
import { TrainerError } from '../errors'
import { checkpointName } from '../files/checkpointNames'
import { writeFolder } from '../files/folder'
import { isFolder } from '../files/paths'
import { isDiskFull } from '../files/systemErrors'
import { log } from '../logging'
import type { ParameterStore } from '../parameters/ParameterStore'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import { bestCheckpoint } from './bestModel'
import type { RunSnapshot } from './RunSnapshot'

/** What a checkpoint is made of. */
export interface CheckpointParts extends SavedParts {
  readonly args: TrainingArguments
  readonly state: TrainerState
  readonly control: TrainerControl
  readonly callbacks: CallbackHandler
  readonly run: RunSnapshot
  /** Whose checkpoint it is. */
  readonly mark: RunMark
  readonly store: ParameterStore
}

/** What the trainer's state says of a checkpoint that was written. */
export type CheckpointFacts = Pick<TrainerState, 'bestModelCheckpoint' | 'statefulCallbacks'>

/**
 * Writes `checkpoint-N` of the arguments' folder, and removes those of the run that are too many. The folder is whole or
 * not there. One of another run that stands in its place is replaced, with a warning.
 * @returns the path of the best checkpoint, if one is there now, and the states of the callbacks in it.
 */
export async function saveCheckpoint(parts: CheckpointParts): Promise<CheckpointFacts> {
  const { args, state, run, mark } = parts
  const facts: CheckpointFacts = {
    bestModelCheckpoint: await bestCheckpoint(args.outputDir, mark, state),
    statefulCallbacks: {
      ...parts.callbacks.exportStates(parts.control),
      [runKey]: { args: {}, attributes: { ...run.numbers, ...markFields(mark) } },
    },
  }
  const kept = await stateOf(parts, facts)
  const path = checkpointPath(args.outputDir, state.globalStep)
  await sayWhatIsReplaced(path, parts)
  await writeFolder(path, async folder => {
    await writeModelFiles(folder, modelFiles(parts))
    await saveCheckpointState(folder, kept)
  }).catch((error: unknown) => {
    throw withLimit(error, args.saveTotalLimit)
  })
  await rotateCheckpoints(args.outputDir, mark, {
    limit: args.saveTotalLimit,
    newest: state.globalStep,
    best: facts.bestModelCheckpoint,
  })
  return facts
}

/** The error of a checkpoint: on a full disk fewer of them make room, where several stay. */
function withLimit(error: unknown, limit: number | undefined): unknown {
  if (!isDiskFull(error) || limit === 1) return error
  const { code, problem, cause } = error
  return new TrainerError(code, problem, { fix: 'Free some space, or lower saveTotalLimit.', cause })
}

async function sayWhatIsReplaced(path: string, { args, state, mark }: CheckpointParts): Promise<void> {
  if (!(await isFolder(path))) return
  const there = await runOf(path)
  if (there !== undefined && there.id === mark.id) return
  const whose = there === undefined ? 'an unknown run' : 'another run'
  const name = checkpointName(state.globalStep)
  log('warning', `${name} of ${whose} in ${args.outputDir} is replaced by this run's.`)
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
