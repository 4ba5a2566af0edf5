import type { PreTrainedModel } from '../auto/PreTrainedModel'
import { modelFiles, type SavedParts } from '../auto/saveModel'
import type { CallbackHandler } from '../callbacks/CallbackHandler'
import type { CallbackState } from '../callbacks/CallbackState'
import type { TrainerControl } from '../callbacks/TrainerControl'
import { TrainerState } from '../callbacks/TrainerState'
import { writeModelFiles } from '../checkpoint/exportModel'
import { isFolder, listFolder } from '../files/paths'
import { writeFolder } from '../files/folder'
import { loadPretrained } from '../checkpoint/pretrained'
import { checkpointName, listCheckpoints, newestCheckpoint, rotateCheckpoints } from '../checkpoint/rotate'
import {
  type CheckpointState,
  loadCheckpointState,
  missingFromCheckpoint,
  saveCheckpointState,
} from '../checkpoint/state'
import { TrainerError } from '../errors'
import { log } from '../logging'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import type { LossLog } from './LossLog'
import type { ParameterState } from './ParameterState'
import type { Plan } from './plan'
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

/**
 * Where this Trainer's own numbers lie among the callbacks' states, so that `trainer_state.json` keeps Hugging Face's
 * fields.
 */
const trainerKey = 'Trainer'

/**
 * Writes `checkpoint-N` of the arguments' folder, points to the best one, and removes those that are too many. The
 * folder is whole or not there.
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
  const kept = await stateOf(parts)
  await writeFolder(target, async folder => {
    await writeModelFiles(folder, modelFiles(parts))
    await saveCheckpointState(folder, kept)
  })
  run.savedAt = state.globalStep
  await rotateCheckpoints(args.outputDir, {
    limit: args.saveTotalLimit,
    newest: state.globalStep,
    best: state.bestModelCheckpoint,
  })
}

function ownState({ losses, run }: CheckpointParts): CallbackState {
  const { args, attributes } = losses.state()
  const {
    position: { epoch, batches, ended },
    last,
    plan,
  } = run
  const place = {
    data_pass: epoch,
    data_batches: batches,
    data_pass_ended: ended,
    batches_in_pass: plan.batchesPerEpoch,
  }
  return { args, attributes: { ...attributes, ...place, last_grad_norm: last?.gradNorm, last_rate: last?.rate } }
}

async function stateOf({ args, state, run, trainingArguments }: CheckpointParts): Promise<CheckpointState> {
  const trainerState = state.toJSON()
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

/**
 * The folder that `resumeFromCheckpoint` means: the newest whole checkpoint for true, else the path.
 * @throws TrainerError when there is none.
 */
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
    throw new TrainerError(
      'file',
      `The checkpoint ${wanted} cannot be resumed: ${missing.join(', ')} is missing or broken.`,
      {
        fix: 'Resume from another checkpoint.',
      },
    )
  }
  return String(wanted)
}

/** A folder's weights for a model. */
export async function readWeights(
  model: PreTrainedModel,
  folder: string,
): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
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
  const told = (
    { loggingSteps, evalSteps, saveSteps, trainBatchSize }: TrainerState,
    seed: unknown,
  ): Record<string, unknown> => ({
    logging_steps: loggingSteps,
    eval_steps: evalSteps,
    save_steps: saveSteps,
    train_batch_size: trainBatchSize,
    seed,
  })
  const now = told(fresh, args.seed)
  tellChanges(told(state, stored.rng?.seed), now)
  if (stored.trainingArguments !== undefined)
    tellChanges(stored.trainingArguments, args.toDict(), [...Object.keys(now), ...elsewhere])
  const { loggingSteps, evalSteps, saveSteps, maxSteps, numTrainEpochs, trainBatchSize } = fresh
  Object.assign(state, { loggingSteps, evalSteps, saveSteps, maxSteps, numTrainEpochs, trainBatchSize })
  return { folder, stored, state }
}

/**
 * Arguments that say where a run is, how it shows itself, and what is told of the checkpoint's state already: none that
 * changes a result.
 */
const elsewhere = [
  'output_dir',
  'run_name',
  'device',
  'library',
  'plugin_library',
  'provider_options',
  'threads',
  'disable_tqdm',
  'log_level',
  'eval_batch_size',
  'do_eval',
]

/** Warns of every value that a checkpoint had otherwise. */
function tellChanges(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
  except: readonly string[] = [],
): void {
  const shown = (value: unknown): string =>
    typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none')
  for (const name of Object.keys(now)) {
    if (
      !(name in before) ||
      before[name] === undefined ||
      except.includes(name) ||
      shown(before[name]) === shown(now[name])
    )
      continue
    log(
      'warning',
      `Resuming with ${name} ${shown(now[name])}, where the checkpoint had ${shown(before[name])}: today's counts.`,
    )
  }
}

/**
 * The weights of the best checkpoint, wherever it lies now; undefined, with a warning, where there is none any more.
 */
export async function bestWeights(
  model: PreTrainedModel,
  { bestModelCheckpoint: best, bestGlobalStep, bestMetric }: TrainerState,
  args: TrainingArguments,
): Promise<ReadonlyMap<string, Tensor<'float32'>> | undefined> {
  const places = best === undefined ? [] : [best, joined(args.outputDir, checkpointName(bestGlobalStep!))]
  for (const place of places) {
    if (!(await isFolder(place))) continue
    const weights = await readWeights(model, place)
    log('info', `The model is that of step ${bestGlobalStep}, the best: ${args.metricForBestModel} ${bestMetric}.`)
    return weights
  }
  const why = best === undefined ? 'no checkpoint of a best model was written' : `the best checkpoint, ${best}, is gone`
  log('warning', `loadBestModelAtEnd: ${why}, so the model is as it was trained last.`)
  return undefined
}

/** Where in the data a run begins. */
export interface Start {
  readonly firstEpoch: number
  /** Micro-batches of that epoch that are skipped. */
  readonly firstBatch: number
  /** The checkpoint was saved at the epoch's last update, before what comes at its end: that is done now. */
  readonly endIsDue: boolean
}

/**
 * Where in the data a run begins: the pass, and the micro-batches of it that are to be skipped. They follow from the
 * updates made; of data without a length, where a pass ends without a word, the checkpoint says it.
 */
export function startOf(
  plan: Plan,
  { globalStep, statefulCallbacks }: TrainerState,
  { ignoreDataSkip, gradientAccumulationSteps }: TrainingArguments,
): Start {
  const {
    data_pass: pass,
    data_batches: batches,
    data_pass_ended: ended,
    batches_in_pass: known,
  } = ownAttributes(statefulCallbacks)
  if (typeof known === 'number' && known !== plan.batchesPerEpoch) {
    log(
      'warning',
      `Resuming with ${plan.batchesPerEpoch ?? 'an unknown number of'} batches in an epoch, where the checkpoint had ${known}: counting goes by today's.`,
    )
  }
  if (plan.batchesPerEpoch === undefined && typeof pass === 'number' && typeof batches === 'number') {
    return { firstEpoch: pass, firstBatch: ignoreDataSkip ? 0 : batches, endIsDue: false }
  }
  const [firstEpoch, done] = [Math.floor(globalStep / plan.updatesPerEpoch), globalStep % plan.updatesPerEpoch]
  const endIsDue =
    done === 0 && ended === false && firstEpoch > 0 && plan.batchesPerEpoch !== undefined && !ignoreDataSkip
  if (globalStep > 0 && globalStep >= plan.totalUpdates && !endIsDue) {
    log(
      'warning',
      `The checkpoint is at step ${globalStep} of ${plan.totalUpdates}: nothing is left to train. More steps come by numTrainEpochs or maxSteps.`,
    )
  }
  if (endIsDue) return { firstEpoch: firstEpoch - 1, firstBatch: plan.batchesPerEpoch, endIsDue }
  return { firstEpoch, firstBatch: ignoreDataSkip ? 0 : done * gradientAccumulationSteps, endIsDue }
}

/** What this Trainer itself kept in a checkpoint's state. */
function ownAttributes(callbacks: TrainerState['statefulCallbacks']): Readonly<Record<string, unknown>> {
  return (callbacks[trainerKey] as CallbackState | undefined)?.attributes ?? {}
}

/** Gives the callbacks, the schedule and the loss's bookkeeping what the checkpoint kept of them. */
export function restoreRun(
  { stored, state }: Resumed,
  { args, callbacks, run, losses }: Pick<CheckpointParts, 'args' | 'callbacks' | 'run' | 'losses'>,
): void {
  // another type of schedule than the checkpoint's stands where it would stand after these updates
  if (stored.scheduler === undefined || stored.scheduler.type === run.rates.state(0).type)
    run.rates.restore(stored.scheduler, state.globalStep)
  const { [trainerKey]: own, ...others } = state.statefulCallbacks
  const { last_grad_norm: gradNorm, last_rate: rate } = ownAttributes(state.statefulCallbacks)
  if (typeof gradNorm === 'number' && typeof rate === 'number') run.last = { loss: NaN, gradNorm, rate, skipped: false }
  if (own !== undefined) losses.restore(own as CallbackState)
  else losses.startAt(state.globalStep)
  if (args.restoreCallbackStatesFromCheckpoint) callbacks.restoreStates(others)
}

/**
 * Gives the optimizer what the checkpoint kept of it, and returns the updates that it has made.
 * @throws TrainerError when the state is another optimizer's.
 */
export async function restoreOptimizer(
  { stored, folder }: Resumed,
  name: string,
  state: ParameterState,
): Promise<number> {
  if (stored.optimizer === undefined) {
    const foreign = (await listFolder(folder)).includes('optimizer.pt') ? " (Python's optimizer.pt is not read)" : ''
    log('warning', `${folder} was saved without the state of optimizer and schedule${foreign}: both start anew.`)
    return 0
  }
  if (stored.optimizer.name !== name) {
    throw new TrainerError(
      'file',
      `${folder} has the state of the optimizer "${stored.optimizer.name}", but this run's is "${name}".`,
      {
        fix: 'Resume with the same optim.',
      },
    )
  }
  await state.loadSlots(stored.optimizer.slots)
  return stored.optimizer.step
}

function joined(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`
}
