import type { CallbackState } from '../callbacks/CallbackState'
import { type CallbackContext, TrainerCallback } from '../callbacks/TrainerCallback'
import type { TrainerControl } from '../callbacks/TrainerControl'
import type { LogEntry, TrainerState } from '../callbacks/TrainerState'
import type { TrainingArguments } from '../TrainingArguments'
import { Delivery } from './Delivery'
import type { RunEnd, RunIdentity, TrackedRun, Tracker } from './Tracker'

/** How long trackers are waited for when a run is over, all of them together, in milliseconds. */
const patience = 4000
/** How long after its beginning a run waits for its name, so that the first checkpoint knows it, in milliseconds. */
const naming = 500

/** What a tracker has at least for a log outside of training, in milliseconds, where others have used up the time. */
const grace = 500

type State = Readonly<TrainerState>

/**
 * Reports a run to a tracker: its configuration when training begins, and every log. It never stops a run or holds it up: all
 * is sent in the background, what fails is a warning, and at the end the trackers are waited for for 4 seconds.
 *
 * A checkpoint keeps the run's identity, and a run that resumes from it goes on there. Logs outside of training, such as
 * `evaluate()`'s, go to the run that this callback reported last; one that has not been trained yet is trained then.
 */
export class TrackerCallback extends TrainerCallback {
  readonly #tracker: Tracker
  #delivery: Delivery | undefined
  #begun = 0
  #ending: Promise<boolean> | undefined
  /** The run that was reported last. */
  #identity: RunIdentity | undefined
  /** Whether training belongs to that run though no checkpoint says so. */
  #goesOn = true
  /** Whether a log outside of training was not answered in time or not taken: it is not worth the wait again. */
  #isLeft = false

  constructor(tracker: Tracker) {
    super()
    this.#tracker = tracker
  }

  override onTrainBegin(args: TrainingArguments, state: State, _: TrainerControl, { model }: CallbackContext): void {
    if (!state.isWorldProcessZero) return
    const saved = state.globalStep > 0 ? identityIn(state, this.constructor.name) : undefined
    const resumed = saved ?? (this.#goesOn ? this.#identity : undefined)
    this.#goesOn = this.#isLeft = false
    this.#begun = performance.now()
    this.#ending = undefined
    reporting.set(state, [...(reporting.get(state) ?? []), this])
    this.#delivery = new Delivery(this.#tracker, runOf(args, state, model, resumed))
  }

  override async onLog(
    args: TrainingArguments,
    state: State,
    _: TrainerControl,
    context: CallbackContext,
  ): Promise<void> {
    await this.#log(context.logs ?? {}, args, state, context)
  }

  override async onPredict(
    args: TrainingArguments,
    state: State,
    _: TrainerControl,
    context: CallbackContext,
  ): Promise<void> {
    if (this.#tracker.takesPredictions === true) await this.#log(context.metrics ?? {}, args, state, context)
  }

  override async onStepEnd(_args: TrainingArguments, _state: State, { shouldSave }: TrainerControl): Promise<void> {
    if (shouldSave) await this.#delivery?.known(this.#begun + naming)
  }

  override async onEpochEnd(_args: TrainingArguments, _state: State, { shouldSave }: TrainerControl): Promise<void> {
    if (shouldSave) await this.#delivery?.known(this.#begun + naming)
  }

  /**
   * The first tracker that is told has all of them end the run, so that one that hangs does not take the others'
   * time.
   */
  override async onTrainEnd(_args: TrainingArguments, state: State): Promise<void> {
    const deadline = performance.now() + patience
    for (const callback of reporting.get(state) ?? []) callback.#ending = callback.#finish('finished', deadline)
    reporting.delete(state)
    await this.#ending
  }

  override state(): CallbackState {
    const identity = this.#delivery?.identity ?? this.#identity
    return { args: {}, attributes: identity === undefined ? {} : { run: identity } }
  }

  override restore({ attributes }: CallbackState): void {
    this.#identity = identityOf(attributes['run']) ?? this.#identity
  }

  /** Training has thrown: the run is marked as failed where the tracker can. One that starts over is the same run. */
  override async dispose(startsOver = false): Promise<void> {
    await this.#finish('failed', performance.now() + patience)
    this.#goesOn = startsOver
  }

  async #log(logs: LogEntry, args: TrainingArguments, state: State, { model }: CallbackContext): Promise<void> {
    if (!state.isWorldProcessZero || this.#isLeft) return
    const isOutside = this.#delivery === undefined
    this.#delivery ??= new Delivery(this.#tracker, runOf(args, state, model, this.#identity))
    this.#delivery.log(logs, state.globalStep)
    if (isOutside) this.#isLeft = !(await this.#finish('finished', deadlineOf(state)))
  }

  /** @returns whether the tracker is worth being asked again. */
  async #finish(end: RunEnd, deadline: number): Promise<boolean> {
    const delivery = this.#delivery
    this.#delivery = undefined
    const isGood = (await delivery?.finish(end, deadline)) ?? true
    this.#identity = delivery?.identity ?? this.#identity
    return isGood
  }
}

/** The callbacks that report a run, while it is trained. */
const reporting = new WeakMap<State, readonly TrackerCallback[]>()
/** When the trackers of a log outside of training are no longer waited for, by its place in the history. */
const deadlines = new WeakMap<State, { readonly logs: number; readonly at: number }>()

/**
 * One time for the trackers of one log, though each is told after the other; one that comes late has a little of its
 * own.
 */
function deadlineOf(state: State): number {
  const logs = state.logHistory.length
  const known = deadlines.get(state)
  if (known?.logs === logs) return Math.max(known.at, performance.now() + grace)
  const at = performance.now() + patience
  deadlines.set(state, { logs, at })
  return at
}

function runOf(
  args: TrainingArguments,
  state: State,
  model: unknown,
  resumed: RunIdentity | undefined,
): Omit<TrackedRun, 'mark' | 'signal'> {
  return {
    name: [args.runName, state.trialName].filter(part => part !== undefined).join('-') || undefined,
    trial: state.trialName,
    project: args.project,
    outputDir: args.outputDir,
    args: args.toDict(),
    ...described(model),
    step: state.globalStep,
    resumed,
  }
}

/** The model's config.json and size, of a model that says them. */
function described(model: unknown): Pick<TrackedRun, 'modelConfig' | 'parameterCount'> {
  const { config, numParameters } = (model ?? {}) as { config?: object; numParameters?: () => number }
  return {
    modelConfig: { ...config },
    parameterCount: typeof numParameters === 'function' ? numParameters.call(model) : undefined,
  }
}

/** The run that a checkpoint's state names. */
function identityIn({ statefulCallbacks }: State, name: string): RunIdentity | undefined {
  const states = statefulCallbacks[name]
  const [state] = Array.isArray(states) ? states : [states]
  return identityOf(state?.attributes['run'])
}

function identityOf(run: unknown): RunIdentity | undefined {
  const isIdentity = typeof run === 'object' && run !== null && Object.values(run).every(one => typeof one === 'string')
  return isIdentity ? (run as RunIdentity) : undefined
}
