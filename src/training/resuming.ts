import type { TrainableModel } from '../auto/TrainableModel'
import { TrainerState } from '../callbacks/TrainerState'
import { loadPretrained } from '../checkpoint/pretrained'
import { newestCheckpoint } from '../checkpoint/rotate'
import { type CheckpointState, loadCheckpointState, missingFromCheckpoint } from '../checkpoint/state'
import { TrainerError } from '../errors'
import { isFolder, listFolder } from '../files/paths'
import { log } from '../logging'
import { slotName } from '../parameters/slots'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import type { Plan } from './plan'
import { type Resumed, runKey, type RunNumbers, type Start } from './RunSnapshot'

/**
 * The folder that `resumeFromCheckpoint` means: the newest whole checkpoint for true, else the path.
 * @throws TrainerError ('file') when there is none.
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
    const verb = missing.length === 1 ? 'is' : 'are'
    const what = (await isFolder(String(wanted)))
      ? `${missing.join(', ')} ${verb} missing or broken`
      : 'there is no such folder'
    throw new TrainerError('file', `The checkpoint ${wanted} cannot be resumed: ${what}.`, {
      fix: 'Resume from another checkpoint; true takes the newest complete one of outputDir.',
    })
  }
  return String(wanted)
}

/** A folder's weights for a model. */
export async function readWeights(
  model: TrainableModel,
  folder: string,
): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
  const expected = model.definition.parameters.map(({ name, shape }) => ({ name, dims: shape }))
  return (await loadPretrained(folder, expected)).weights
}

/**
 * Reads a checkpoint; intervals and lengths of the run come from today's arguments, and what they change is logged.
 * @param fresh the state in which a new run would begin.
 */
export async function readCheckpoint(folder: string, fresh: TrainerState, args: TrainingArguments): Promise<Resumed> {
  const stored = await loadCheckpointState(folder)
  const state = TrainerState.fromJSON(stored.trainerState as object)
  logChanges(stored, state, fresh, args)
  const { loggingSteps, evalSteps, saveSteps, maxSteps, numTrainEpochs, trainBatchSize } = fresh
  Object.assign(state, { loggingSteps, evalSteps, saveSteps, maxSteps, numTrainEpochs, trainBatchSize })
  const files = await listFolder(folder)
  return {
    state,
    snapshot: { numbers: runNumbers(state), optimizer: stored.optimizer, scheduler: stored.scheduler },
    optimizerFor: name => optimizerFor(stored, name, folder, files),
  }
}

/** The states of callbacks among what a checkpoint kept. */
export function callbackStates({ statefulCallbacks }: TrainerState): TrainerState['statefulCallbacks'] {
  return Object.fromEntries(Object.entries(statefulCallbacks).filter(([name]) => name !== runKey))
}

/** What a run itself kept in a checkpoint's state. */
function runNumbers({ statefulCallbacks }: TrainerState): RunNumbers | undefined {
  const own = statefulCallbacks[runKey]
  return own === undefined || Array.isArray(own) ? undefined : (own.attributes as RunNumbers)
}

function optimizerFor(
  { optimizer }: CheckpointState,
  name: string,
  folder: string,
  files: readonly string[],
): ReturnType<Resumed['optimizerFor']> {
  if (optimizer === undefined) {
    const foreign = files.includes('optimizer.pt') ? " (Python's optimizer.pt is not read)" : ''
    log(
      'warning',
      `${folder} was saved without the state of optimizer and schedule${foreign}: both start from scratch.`,
    )
    return undefined
  }
  if (optimizer.name !== name) {
    const found = `the state of the optimizer "${optimizer.name}", but this run's is "${name}"`
    throw new TrainerError('file', `${folder} has ${found}.`, { fix: 'Resume with the same optim.' })
  }
  const slots = [...optimizer.slots].flatMap(([parameter, own]) =>
    Object.entries(own).map(([slot, tensor]) => [slotName(parameter, slot), tensor] as const),
  )
  return { step: optimizer.step, slots: new Map(slots) }
}

/**
 * Arguments that say where a run is, how it shows itself, and what the checkpoint's state says already: none that
 * changes a result.
 */
const elsewhere = [
  ...['output_dir', 'run_name', 'device', 'library', 'plugin_library', 'provider_options', 'threads', 'disable_tqdm'],
  ...['log_level', 'eval_batch_size', 'do_eval'],
]

/** Warns of every argument that was another when the checkpoint was saved. */
function logChanges(
  { rng, trainingArguments }: CheckpointState,
  state: TrainerState,
  fresh: TrainerState,
  args: TrainingArguments,
): void {
  const stated = (of: TrainerState, seed: unknown): Record<string, unknown> => ({
    logging_steps: of.loggingSteps,
    eval_steps: of.evalSteps,
    save_steps: of.saveSteps,
    train_batch_size: of.trainBatchSize,
    seed,
  })
  const now = stated(fresh, args.seed)
  warnOfChanges(stated(state, rng?.seed), now)
  if (trainingArguments !== undefined)
    warnOfChanges(trainingArguments, args.toDict(), [...Object.keys(now), ...elsewhere])
}

function warnOfChanges(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
  except: readonly string[] = [],
): void {
  const shown = (value: unknown): string =>
    typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none')
  for (const name of Object.keys(now)) {
    if (before[name] === undefined || except.includes(name) || shown(before[name]) === shown(now[name])) continue
    const change = `${name} ${shown(now[name])}, where the checkpoint had ${shown(before[name])}`
    log('warning', `Resuming with ${change}: today's value is used.`)
  }
}

/**
 * Where in the data a run begins: the pass, and the micro-batches of it that are to be skipped. They follow from the
 * updates made; of data without a length, where a pass ends without a word, the checkpoint says it.
 */
export function startOf(
  plan: Plan,
  state: TrainerState,
  { ignoreDataSkip, gradientAccumulationSteps }: TrainingArguments,
): Start {
  const { globalStep } = state
  const { data_pass: pass, data_batches: batches, data_pass_ended: ended, ...kept } = runNumbers(state) ?? {}
  const evaluationIsDue = kept.evaluation_due === true
  warnOfOtherLength(plan, kept.batches_in_pass)
  if (plan.batchesPerEpoch === undefined && typeof pass === 'number' && typeof batches === 'number') {
    return { firstEpoch: pass, firstBatch: ignoreDataSkip ? 0 : batches, endIsDue: false, evaluationIsDue }
  }
  const firstEpoch = Math.floor(globalStep / plan.updatesPerEpoch)
  const done = globalStep % plan.updatesPerEpoch
  if (done === 0 && ended === false && firstEpoch > 0 && plan.batchesPerEpoch !== undefined && !ignoreDataSkip)
    return { firstEpoch: firstEpoch - 1, firstBatch: plan.batchesPerEpoch, endIsDue: true, evaluationIsDue }
  if (globalStep > 0 && globalStep >= plan.totalUpdates) {
    const where = `The checkpoint is at step ${globalStep} of ${plan.totalUpdates}`
    log('warning', `${where}: nothing is left to train. More steps come by numTrainEpochs or maxSteps.`)
  }
  const firstBatch = ignoreDataSkip ? 0 : done * gradientAccumulationSteps
  return { firstEpoch, firstBatch, endIsDue: false, evaluationIsDue }
}

function warnOfOtherLength({ batchesPerEpoch }: Plan, known: unknown): void {
  if (typeof known !== 'number' || known === batchesPerEpoch) return
  const now = `${batchesPerEpoch ?? 'an unknown number of'} batches in an epoch`
  log('warning', `Resuming with ${now}, where the checkpoint had ${known}: steps are counted by today's number.`)
}
