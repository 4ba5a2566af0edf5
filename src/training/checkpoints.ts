import type { PreTrainedModel } from '../auto/PreTrainedModel'
import type { CallbackHandler } from '../callbacks/CallbackHandler'
import type { CallbackState } from '../callbacks/TrainerCallback'
import type { TrainerControl } from '../callbacks/TrainerControl'
import { TrainerState } from '../callbacks/TrainerState'
import { loadPretrained } from '../checkpoint/pretrained'
import { checkpointName, listCheckpoints, newestCheckpoint, rotateCheckpoints } from '../checkpoint/rotate'
import { type CheckpointState, loadCheckpointState, missingFromCheckpoint, type TrainerStateFile } from '../checkpoint/state'
import { TrainerError } from '../errors'
import { log } from '../logging'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import type { LossLog } from './LossLog'
import type { ParameterState } from './ParameterState'
import type { Plan } from './plan'
import { saveCheckpointFolder, type SavedParts } from './saving'
import type { TrainingRun } from './TrainingRun'

/** What a checkpoint is made of. */
export interface CheckpointParts extends SavedParts {
  readonly args: TrainingArguments
  readonly state: TrainerState
  readonly control: TrainerControl
  readonly callbacks: CallbackHandler
  readonly run: TrainingRun
  readonly losses: LossLog
}

/** Where this Trainer's own numbers lie among the callbacks' states, so that `trainer_state.json` keeps Hugging Face's fields. */
const trainerKey = 'Trainer'

/**
 * Writes `checkpoint-N` of the arguments' folder, points to the best one, and removes those that are too many. The folder is whole or not there.
 */
export async function saveCheckpoint(parts: CheckpointParts): Promise<void> {
  const { args, state, run } = parts
  const target = joined(args.outputDir, checkpointName(state.globalStep))
  const saved = (await listCheckpoints(args.outputDir)).map(({ step }) => step)
  if (state.bestGlobalStep !== undefined && [...saved, state.globalStep].includes(state.bestGlobalStep)) {
    state.bestModelCheckpoint = joined(args.outputDir, checkpointName(state.bestGlobalStep))
  }
  state.statefulCallbacks = { ...parts.callbacks.exportStates(parts.control), [trainerKey]: ownState(parts) }
  await run.runner.state.synchronise()
  await saveCheckpointFolder(target, parts, await stateOf(parts))
  await rotateCheckpoints(args.outputDir, { limit: args.saveTotalLimit, newest: state.globalStep, best: state.bestModelCheckpoint })
}

function ownState({ losses, run }: CheckpointParts): CallbackState {
  const { args, attributes } = losses.state()
  return { args, attributes: { ...attributes, data_pass: run.position.epoch, data_batches: run.position.batches } }
}

async function stateOf({ args, state, run, trainingArguments }: CheckpointParts): Promise<CheckpointState> {
  const trainerState = state.toJSON() as unknown as TrainerStateFile
  if (args.saveOnlyModel) return { trainerState, trainingArguments }
  return {
    trainerState,
    trainingArguments,
    optimizer: { name: run.optimizer.name, step: run.optimizerSteps, slots: await run.runner.state.slots() },
    scheduler: run.rates.state(state.globalStep),
    // dropout and data order are functions of these and of the step
    rng: { generator: 'counter-based', seed: args.seed, data_seed: args.dataSeed ?? args.seed },
  }
}

/** The folder that `resumeFromCheckpoint` means: the newest whole checkpoint for true, else the path. @throws TrainerError when there is none. */
export async function checkpointToResume(outputDir: string, wanted: boolean | string): Promise<string> {
  if (wanted === true) {
    const newest = await newestCheckpoint(outputDir)
    if (newest !== undefined) return newest.path
    throw new TrainerError('file', `There is no whole checkpoint in ${outputDir} to resume from.`, {
      fix: 'Check outputDir, or train without resumeFromCheckpoint.',
    })
  }
  const missing = await missingFromCheckpoint(String(wanted))
  if (missing.length > 0) {
    throw new TrainerError('file', `The checkpoint ${wanted} cannot be resumed: ${missing.join(', ')} is missing or broken.`, {
      fix: 'Resume from another checkpoint.',
    })
  }
  return String(wanted)
}

/** A folder's weights for a model. */
export async function readWeights(model: PreTrainedModel, folder: string): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
  const expected = model.shapes.map(({ name, shape }) => ({ name, dims: shape }))
  return (await loadPretrained(folder, expected, { baseModelPrefix: model.family.baseModelPrefix })).weights
}

/** What a checkpoint says of the run, without its tensors. */
export interface Resumed {
  readonly folder: string
  readonly stored: CheckpointState
  readonly state: TrainerState
}

/** Reads a checkpoint; intervals and lengths of the run come from today's arguments, and what they change is told. */
export async function readCheckpoint(folder: string, fresh: TrainerState, args: TrainingArguments): Promise<Resumed> {
  const stored = await loadCheckpointState(folder)
  const state = TrainerState.fromJSON(stored.trainerState as object)
  for (const [name, before, now] of [
    ['logging_steps', state.loggingSteps, fresh.loggingSteps], ['eval_steps', state.evalSteps, fresh.evalSteps], ['save_steps', state.saveSteps, fresh.saveSteps],
    ['train_batch_size', state.trainBatchSize, fresh.trainBatchSize], ['seed', stored.rng?.seed, args.seed],
  ] as const) {
    if (before !== undefined && before !== now) log('warning', `Resuming with ${name} ${now}, where the checkpoint had ${before}: today's counts.`)
  }
  const { loggingSteps, evalSteps, saveSteps, maxSteps, numTrainEpochs, trainBatchSize } = fresh
  Object.assign(state, { loggingSteps, evalSteps, saveSteps, maxSteps, numTrainEpochs, trainBatchSize })
  return { folder, stored, state }
}

/**
 * Where in the data a run begins: the pass, and the micro-batches of it that are to be skipped. They follow from the updates made; of data without a
 * length, where a pass ends without a word, the checkpoint says it.
 */
export function startOf(
  plan: Plan, { globalStep, statefulCallbacks }: TrainerState, { ignoreDataSkip, gradientAccumulationSteps }: TrainingArguments,
): { readonly firstEpoch: number; readonly firstBatch: number } {
  const { data_pass: pass, data_batches: batches } = (statefulCallbacks[trainerKey] as CallbackState | undefined)?.attributes ?? {}
  if (plan.batchesPerEpoch === undefined && typeof pass === 'number' && typeof batches === 'number') {
    return { firstEpoch: pass, firstBatch: ignoreDataSkip ? 0 : batches }
  }
  const skipped = (globalStep % plan.updatesPerEpoch) * gradientAccumulationSteps
  return { firstEpoch: Math.floor(globalStep / plan.updatesPerEpoch), firstBatch: ignoreDataSkip ? 0 : skipped }
}

/** Gives the callbacks, the schedule and the loss's bookkeeping what the checkpoint kept of them. */
export function restoreRun({ stored, state }: Resumed, { args, callbacks, run, losses }: Pick<CheckpointParts, 'args' | 'callbacks' | 'run' | 'losses'>): void {
  // another type of schedule than the checkpoint's stands where it would stand after these updates
  if (stored.scheduler === undefined || stored.scheduler.type === run.rates.state(0).type) run.rates.restore(stored.scheduler, state.globalStep)
  const { [trainerKey]: own, ...others } = state.statefulCallbacks
  if (own !== undefined) losses.restore(own as CallbackState)
  else losses.startAt(state.globalStep)
  if (args.restoreCallbackStatesFromCheckpoint) callbacks.restoreStates(others)
}

/**
 * Gives the optimizer what the checkpoint kept of it, and returns the updates that it has made.
 * @throws TrainerError when the state is another optimizer's.
 */
export async function restoreOptimizer({ stored, folder }: Resumed, name: string, state: ParameterState): Promise<number> {
  if (stored.optimizer === undefined) {
    log('warning', `${folder} was saved without the state of optimizer and schedule: both start anew.`)
    return 0
  }
  if (stored.optimizer.name !== name) {
    throw new TrainerError('file', `${folder} has the state of the optimizer "${stored.optimizer.name}", but this run's is "${name}".`, {
      fix: 'Resume with the same optim.',
    })
  }
  await state.loadSlots(stored.optimizer.slots)
  return stored.optimizer.step
}

function joined(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`
}

