// A run of the Trainer, event by event, against Hugging Face's; and the run that resumes from its checkpoint.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { callbackEvents, type TrainerCallback } from '../../src/index'
import { type Checked, type Comparison, compareEqual, compareRelative, verdict } from './compare'
import { type Best, compareBest, compareEntry, compareHistory, type Entry, kept } from './entries'
import { type OracleArguments, oracleTrainer, trainedOn } from './oracleRun'
import { afterResuming, asItIs, type Expectation } from './resumption'

interface RecordedEvent {
  readonly event: string
  readonly step: number
  readonly epoch: number
  readonly flags: readonly string[]
  readonly metrics?: Entry
  readonly logs?: Entry
}

/** One call of train(). */
export interface WatchedRun {
  readonly events: readonly RecordedEvent[]
  readonly train_row_order: readonly number[]
  readonly log_history: readonly Entry[]
  readonly train_metrics: Entry
}

/** What a case leaves. */
interface CaseValues extends WatchedRun, Best {
  readonly uninterrupted?: WatchedRun
  readonly checkpoints: readonly string[]
  readonly last_checkpoint_files: readonly string[]
  readonly last_trainer_state: Entry | null
  readonly best_model_checkpoint: string | null
  readonly global_step: number
}

interface EventsOracle extends CaseValues {
  readonly arguments: OracleArguments
  /** The step of the checkpoint that the second run resumes from. */
  readonly resumed_from?: number
}

/** Checks a file of `trainer-events`, on the model and the rows of the folder `trainer-runs` beside it. */
export async function checkTrainerEvents(file: string): Promise<Checked> {
  const oracle = JSON.parse(readFileSync(file, 'utf8')) as EventsOracle
  const computed = await compute(join(dirname(file), '..', 'trainer-runs'), oracle)
  return { verdict: verdict(compareCase(computed, oracle)), computed }
}

async function compute(
  folder: string,
  { arguments: stated, resumed_from: resumedFrom }: EventsOracle,
): Promise<CaseValues> {
  const outputDir = join(mkdtempSync(join(tmpdir(), 'reference-')), 'run')
  try {
    const whole = await watch(folder, stated, outputDir)
    if (resumedFrom === undefined) return { ...whole.run, ...whole.left }
    for (const name of checkpointsIn(outputDir)) {
      if (stepOf(name) > resumedFrom) rmSync(join(outputDir, name), { recursive: true })
    }
    const resumed = await watch(folder, stated, outputDir, resumedFrom)
    return { uninterrupted: whole.run, ...resumed.run, ...resumed.left }
  } finally {
    rmSync(dirname(outputDir), { recursive: true, force: true })
  }
}

async function watch(
  folder: string,
  stated: OracleArguments,
  outputDir: string,
  resumedFrom?: number,
): Promise<{ run: WatchedRun; left: Omit<CaseValues, keyof WatchedRun> }> {
  const events: RecordedEvent[] = []
  const run = await oracleTrainer(folder, stated, outputDir, [recorder(events)])
  const { trainer } = run
  try {
    const { metrics } = await trainer.train(
      resumedFrom === undefined ? {} : { resumeFromCheckpoint: join(outputDir, `checkpoint-${resumedFrom}`) },
    )
    const { state } = trainer
    const checkpoints = checkpointsIn(outputDir)
    const last = checkpoints.at(-1)
    return {
      run: {
        events,
        train_row_order: trainedOn(run, resumedFrom),
        log_history: state.logHistory.map(entry => kept(entry)),
        train_metrics: kept(metrics),
      },
      left: {
        checkpoints,
        last_checkpoint_files: last === undefined ? [] : readdirSync(join(outputDir, last)).sort(),
        last_trainer_state:
          last === undefined
            ? null
            : (JSON.parse(readFileSync(join(outputDir, last, 'trainer_state.json'), 'utf8')) as Entry),
        best_model_checkpoint: state.bestModelCheckpoint === undefined ? null : basename(state.bestModelCheckpoint),
        best_metric: state.bestMetric ?? null,
        best_global_step: state.bestGlobalStep ?? null,
        global_step: state.globalStep,
      },
    }
  } finally {
    await trainer.dispose()
  }
}

/** A callback that writes every event down as a user's callback sees it. */
function recorder(events: RecordedEvent[]): TrainerCallback {
  const flagNames = {
    shouldTrainingStop: 'should_training_stop',
    shouldEpochStop: 'should_epoch_stop',
    shouldSave: 'should_save',
    shouldEvaluate: 'should_evaluate',
    shouldLog: 'should_log',
  } as const
  const record =
    (event: string): NonNullable<TrainerCallback['onLog']> =>
    (_args, state, control, { logs, metrics }) => {
      const flags = Object.entries(flagNames).flatMap(([flag, name]) =>
        control[flag as keyof typeof flagNames] ? [name] : [],
      )
      events.push({
        event,
        step: state.globalStep,
        epoch: state.epoch,
        flags,
        ...(metrics && { metrics: kept(metrics) }),
        ...(logs && { logs: kept(logs) }),
      })
    }
  return Object.fromEntries(
    callbackEvents.map(name => [name, record(name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`))]),
  ) as TrainerCallback
}

function checkpointsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.startsWith('checkpoint-'))
    .sort((a, b) => stepOf(a) - stepOf(b))
}

function stepOf(checkpoint: string): number {
  return Number(checkpoint.split('-')[1])
}

function compareCase(given: CaseValues, oracle: EventsOracle): Comparison[] {
  const { resumed_from: resumedFrom, uninterrupted } = oracle
  const expectation =
    resumedFrom === undefined || uninterrupted === undefined
      ? asItIs
      : afterResuming({
          resumedFrom,
          globalStep: oracle.global_step,
          diverges: oracle.arguments.ignore_data_skip === true || oracle.arguments.save_only_model === true,
          history: oracle.log_history,
          uninterrupted: uninterrupted.log_history,
        })
  return [
    ...(uninterrupted === undefined ? [] : compareRun('uninterrupted ', given.uninterrupted!, uninterrupted, asItIs)),
    ...compareRun('', given, oracle, expectation),
    ...(['checkpoints', 'best_model_checkpoint', 'global_step'] as const).map(name =>
      compareEqual(name, given[name], oracle[name]),
    ),
    ...compareBest('', given, oracle),
    compareEqual(
      'last_checkpoint_files',
      given.last_checkpoint_files,
      oracle.last_checkpoint_files.map(name => ourFiles[name] ?? name).sort(),
    ),
    ...compareState(given.last_trainer_state, oracle.last_trainer_state, expectation),
  ]
}

/** What we call the files of a checkpoint that Python pickles. */
const ourFiles: Readonly<Record<string, string>> = {
  'optimizer.pt': 'optimizer.safetensors',
  'scheduler.pt': 'scheduler.json',
  'rng_state.pth': 'rng.json',
  'training_args.bin': 'training_args.json',
}

function compareRun(what: string, given: WatchedRun, oracle: WatchedRun, expectation: Expectation): Comparison[] {
  return [
    compareEqual(
      `${what}sequence of events`,
      given.events.map(({ event }) => event),
      oracle.events.map(({ event }) => event),
    ),
    ...oracle.events.flatMap((event, i) =>
      compareEvent(`${what}event ${i}, ${event.event}`, given.events[i], event, expectation),
    ),
    compareEqual(`${what}train_row_order`, given.train_row_order, oracle.train_row_order),
    ...compareHistory(`${what}log_history`, given.log_history, oracle.log_history.map(expectation)),
    ...compareEntry(
      `${what}train_metrics`,
      given.train_metrics,
      expectation(oracle.train_metrics),
      oracle.events.at(-1)?.step ?? 0,
    ),
  ]
}

function compareEvent(
  what: string,
  given: RecordedEvent | undefined,
  oracle: RecordedEvent,
  expectation: Expectation,
): Comparison[] {
  if (given === undefined) return [compareEqual(what, undefined, oracle)]
  const { step, epoch, flags, metrics } = oracle
  const logs = oracle.logs && expectation({ ...oracle.logs, step })
  return [
    compareEqual(`step of ${what}`, given.step, step),
    compareRelative(`epoch of ${what}`, given.epoch, epoch, 1e-9),
    compareEqual(`flags of ${what}`, given.flags, flags),
    compareEqual(
      `what ${what} brings`,
      [given.metrics !== undefined, given.logs !== undefined],
      [metrics !== undefined, logs !== undefined],
    ),
    ...(metrics === undefined ? [] : compareEntry(`metrics of ${what}`, given.metrics, { entry: metrics }, step)),
    ...(logs === undefined
      ? []
      : compareEntry(`logs of ${what}`, given.logs && { ...given.logs, step: given.step }, logs, step)),
  ]
}

/** The state that the last checkpoint has. Ours holds one more under `stateful_callbacks`: the Trainer's own. */
function compareState(given: Entry | null, oracle: Entry | null, expectation: Expectation): Comparison[] {
  if (given === null || oracle === null) return [compareEqual('last_trainer_state', given, oracle)]
  const { log_history: history, stateful_callbacks: callbacks, best_metric: _metric, epoch, ...rest } = oracle
  const own = given.stateful_callbacks as Entry
  return [
    ...Object.entries(rest).map(([name, value]) => compareEqual(`${name} of last_trainer_state`, given[name], value)),
    ...compareBest(' of last_trainer_state', given as Best, oracle as Best),
    compareRelative('epoch of last_trainer_state', Number(given.epoch), Number(epoch), 1e-9),
    ...compareHistory(
      'log_history of last_trainer_state',
      given.log_history as Entry[],
      (history as Entry[]).map(expectation),
    ),
    ...Object.entries(callbacks as Entry).map(([name, value]) =>
      compareEqual(`${name} of last_trainer_state`, keysSorted(own[name]), keysSorted(value)),
    ),
  ]
}

function keysSorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, keysSorted(inner)])
}
