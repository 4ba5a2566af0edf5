import type { CallbackState } from '../callbacks/CallbackState'
import { type CallbackContext, TrainerCallback } from '../callbacks/TrainerCallback'
import type { TrainerControl } from '../callbacks/TrainerControl'
import type { TrainerState } from '../callbacks/TrainerState'
import type { TrainingArguments } from '../TrainingArguments'
import { Delivery } from './Delivery'
import type { RunEnd, RunIdentity, TrackedRun, Tracker } from './Tracker'

/** How long after the last log of a run the trackers are waited for, all of them together, in milliseconds. */
const patience = 4000

/**
 * Reports a run to a tracker: its configuration when training begins, and every log. It never stops a run or holds it up: all
 * is sent in the background, what fails is a warning, and at the end the trackers are waited for for 4 seconds.
 *
 * A checkpoint keeps the run's identity, and a run that resumes from it goes on there. Logs outside of training, such as
 * `evaluate()`'s, go to the run that this callback reported last.
 */
export class TrackerCallback extends TrainerCallback {
  readonly #tracker: Tracker
  #delivery: Delivery | undefined
  #identity: RunIdentity | undefined
  #lastLog = 0

  constructor(tracker: Tracker) {
    super()
    this.#tracker = tracker
  }

  override onTrainBegin(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { model }: CallbackContext,
  ): void {
    if (!state.isWorldProcessZero) return
    const resumed = state.globalStep > 0 ? (this.#identity ?? identityIn(state, this.constructor.name)) : undefined
    this.#delivery ??= new Delivery(this.#tracker, runOf(args, state, model, resumed))
  }

  override async onLog(
    args: TrainingArguments,
    state: Readonly<TrainerState>,
    _control: TrainerControl,
    { model, logs = {} }: CallbackContext,
  ): Promise<void> {
    if (!state.isWorldProcessZero) return
    this.#lastLog = performance.now()
    if (this.#delivery !== undefined) return this.#delivery.log(logs, state.globalStep)
    this.#delivery = new Delivery(this.#tracker, runOf(args, state, model, this.#identity))
    this.#delivery.log(logs, state.globalStep)
    await this.#finish('finished')
  }

  override async onTrainEnd(): Promise<void> {
    await this.#finish('finished')
  }

  override state(): CallbackState {
    const identity = this.#delivery?.identity ?? this.#identity
    return { args: {}, attributes: identity === undefined ? {} : { run: identity } }
  }

  override restore({ attributes }: CallbackState): void {
    this.#identity = identityOf(attributes['run'])
  }

  /** Training has thrown: the run is marked as failed where the tracker can, and nobody waits for it. */
  override dispose(): void {
    void this.#finish('failed')
  }

  async #finish(end: RunEnd): Promise<void> {
    const delivery = this.#delivery
    this.#delivery = undefined
    // by the last log, and not from now on: several trackers that hang are waited for at the same time
    await delivery?.finish(end, Math.max(this.#lastLog, performance.now() - patience) + patience)
    this.#identity = delivery?.identity ?? this.#identity
  }
}

function runOf(
  args: TrainingArguments,
  state: Readonly<TrainerState>,
  model: unknown,
  resumed: RunIdentity | undefined,
): Omit<TrackedRun, 'signal'> {
  return {
    name: [args.runName, state.trialName].filter(part => part !== undefined).join('-') || undefined,
    project: args.project,
    outputDir: args.outputDir,
    args: args.toSanitizedDict(),
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
function identityIn({ statefulCallbacks }: Readonly<TrainerState>, name: string): RunIdentity | undefined {
  const states = statefulCallbacks[name]
  const [state] = Array.isArray(states) ? states : [states]
  return identityOf(state?.attributes['run'])
}

function identityOf(run: unknown): RunIdentity | undefined {
  const isIdentity = typeof run === 'object' && run !== null && Object.values(run).every(one => typeof one === 'string')
  return isIdentity ? (run as RunIdentity) : undefined
}
