import type { TrainableModel } from '../auto/TrainableModel'
import { TrainerState } from '../callbacks/TrainerState'
import { type Checkpoint, named } from '../checkpoint/folders'
import { listRuns, newestAmong, newestCheckpoint, type Run, runKey } from '../checkpoint/runs'
import { type CheckpointState, loadCheckpointState, loadTrainerState, missingFromCheckpoint } from '../checkpoint/state'
import { TrainerError } from '../errors'
import { checkpointName, checkpointStep } from '../files/checkpointNames'
import { expandHome, isFolder, listFolder, parentOf } from '../files/paths'
import { log } from '../logging'
import { slotName } from '../parameters/slots'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import type { Plan } from './plan'
import type { Resumed, RunNumbers, Start } from './RunSnapshot'

/**
 * The folder that `resumeFromCheckpoint` means: for true the newest whole checkpoint of the run that was begun or resumed
 * last, else the path. Says which it is, and which broken ones are passed over.
 * @throws TrainerError ('file') when there is none.
 */
export async function checkpointToResume(outputDir: string, wanted: boolean | string): Promise<string> {
  const path =
    wanted === true ? await newestIn(outputDir) : await wholeCheckpoint(expandHome(String(wanted)), outputDir)
  log('info', `Resuming from ${path}.`)
  return path
}

async function newestIn(outputDir: string): Promise<string> {
  const { checkpoint, broken, earlier } = await newestCheckpoint(outputDir)
  const lacks = broken.map(({ step, missing }) => `${checkpointName(step)} (${lacking(missing)})`).join('; ')
  if (checkpoint === undefined) {
    const older = await wholeOf(earlier)
    throw new TrainerError(
      'file',
      `There is no whole checkpoint${older === undefined ? '' : ' of the latest run'} in ${outputDir} to resume from` +
        `${lacks === '' ? '' : `: ${lacks}`}.`,
      {
        fix:
          older === undefined
            ? 'Check outputDir, or train without resumeFromCheckpoint.'
            : `An earlier run goes on with train({ resumeFromCheckpoint: '${older.path}' }).`,
      },
    )
  }
  if (lacks !== '') log('warning', `Broken checkpoints in ${outputDir} are passed over: ${lacks}.`)
  const others = earlier.flatMap(({ checkpoints }) => checkpoints)
  if (others.length > 0)
    log('info', `${outputDir} has checkpoints of earlier runs too, which are left alone: ${named(others)}.`)
  return checkpoint.path
}

async function wholeCheckpoint(path: string, outputDir: string): Promise<string> {
  const missing = await missingFromCheckpoint(path)
  if (missing.length === 0) return path
  const what = (await isFolder(path)) ? lacking(missing) : 'there is no such folder'
  const places = [path, parentOf(path), outputDir]
  // only looked for: where a path was mistyped, nobody asked to have killed processes' folders completed
  const found = places.map(async place =>
    (await isFolder(place)) ? (await newestAmong(await listRuns(place))).checkpoint : undefined,
  )
  const other = (await Promise.all(found)).find(one => one !== undefined)
  const fix = other === undefined ? 'Check the path, or train without it.' : `Resume from ${other.path}.`
  throw new TrainerError('file', `The checkpoint ${path} cannot be resumed: ${what}.`, { fix })
}

function lacking(missing: readonly string[]): string {
  return `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing or broken`
}

/** The newest whole checkpoint of the latest run that has one. */
async function wholeOf(runs: readonly Run[]): Promise<Checkpoint | undefined> {
  for (const { path, step } of runs.flatMap(({ checkpoints }) => checkpoints).reverse())
    if ((await missingFromCheckpoint(path)).length === 0) return { path, step }
  return undefined
}

/** A folder's weights for a model. */
export async function readWeights(
  model: TrainableModel,
  folder: string,
): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
  try {
    return await model.readWeights(folder)
  } catch (error) {
    if (!(error instanceof TrainerError) || error.code !== 'model') throw error
    throw new TrainerError('model', `${folder} is of another model, so it cannot be resumed from: ${error.problem}`, {
      fix: 'Choose another outputDir, or train without resumeFromCheckpoint.',
      cause: error,
    })
  }
}

/**
 * Reads a checkpoint; intervals and lengths of the run come from today's arguments, and what they change is logged.
 * @param fresh the state in which a new run would begin.
 */
export async function readCheckpoint(folder: string, fresh: TrainerState, args: TrainingArguments): Promise<Resumed> {
  const stored = await loadCheckpointState(folder)
  const state = TrainerState.fromJSON(stored.trainerState as object)
  // older versions of Python's Trainer name the best checkpoint without its step
  state.bestGlobalStep ??= checkpointStep(state.bestModelCheckpoint?.split(/[/\\]/).at(-1) ?? '')
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

/** The size of batches that a checkpoint's run was trained by; undefined where it does not say it. */
export async function trainedBatchSize(folder: string): Promise<number | undefined> {
  const { train_batch_size: size } = await loadTrainerState(folder)
  return typeof size === 'number' && Number.isInteger(size) && size > 0 ? size : undefined
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
  ...['log_level', 'eval_batch_size', 'do_eval', 'push_to_hub', 'hub_model_id', 'hub_strategy', 'hub_private_repo'],
  ...['hub_always_push', 'hub_revision'],
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
