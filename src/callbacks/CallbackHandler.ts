import { nearest, TrainerError } from '../errors'
import { log } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import type { CallbackState } from './CallbackState'
import {
  callbackEvents,
  type CallbackContext,
  type CallbackEvent,
  type EventContext,
  type TrainerCallback,
  type TrainerCallbackClass,
} from './TrainerCallback'
import type { ControlFlags, TrainerControl } from './TrainerControl'
import type { TrainerState } from './TrainerState'

/** Which flags an event clears before any callback receives it. */
const cleared: Readonly<Partial<Record<CallbackEvent, readonly (keyof ControlFlags)[]>>> = {
  onTrainBegin: ['shouldTrainingStop'],
  onEpochBegin: ['shouldEpochStop'],
  onStepBegin: ['shouldLog', 'shouldEvaluate', 'shouldSave'],
  onLog: ['shouldLog'],
  onEvaluate: ['shouldEvaluate'],
  onSave: ['shouldSave'],
}

/** Evaluations within one another that nobody asks for on purpose: Python ends in a RecursionError. */
const mostEvaluations = 10

/** A callback, or a class to make one of. */
export type CallbackOrClass = TrainerCallback | (new () => TrainerCallback)

/** Callbacks in their order; each receives every event after the one before it. */
export class CallbackHandler {
  #callbacks: TrainerCallback[] = []
  /** Events that callbacks are receiving, each but the first caused by a callback that has received one. */
  readonly #underWay: CallbackEvent[] = []
  /** What every event brings; the Trainer keeps it up to date. */
  context: CallbackContext = {}

  /** @throws TrainerError (`argument`) for anything that is not a callback. */
  constructor(callbacks: readonly CallbackOrClass[] = []) {
    for (const callback of callbacks) this.add(callback)
  }

  /** The callbacks, in order. */
  get callbacks(): readonly TrainerCallback[] {
    return this.#callbacks
  }

  /**
   * Adds a callback at the end; of a class, a new one. A second of the same class is added with a warning.
   * @throws TrainerError (`argument`) for anything that is not a callback, and for an unknown event, with the nearest.
   */
  add(callback: CallbackOrClass): void {
    const added = typeof callback === 'function' ? new callback() : callback
    checkCallback(added)
    const name = nameOf(added)
    if (added.constructor !== Object && this.#callbacks.some(other => other.constructor === added.constructor)) {
      log('warning', `There is already a ${name} among the callbacks; now there are two.`)
    }
    this.#callbacks.push(added)
  }

  /** Removes a callback, or the first of a class, and returns it; `undefined` if it is not there. */
  pop(callback: TrainerCallback | TrainerCallbackClass): TrainerCallback | undefined {
    const at = this.#callbacks.findIndex(one =>
      typeof callback === 'function' ? one instanceof callback : one === callback,
    )
    return at === -1 ? undefined : this.#callbacks.splice(at, 1)[0]
  }

  /** Removes a callback, or the first of a class. */
  remove(callback: TrainerCallback | TrainerCallbackClass): void {
    this.pop(callback)
  }

  /**
   * Calls every callback's method for an event, in order, each awaited; their answers go to `control`. The flags that
   * the event clears are cleared first, unless a callback has caused it: one that evaluates or logs on its own has not
   * done what the flags ask the loop for.
   * @param extra `logs` or `metrics`, of which every callback gets its own copy, or the `evaluated` batch.
   * @throws TrainerError (`training`) for an evaluation in `onEvaluate` that would never end.
   */
  async call(
    event: CallbackEvent,
    args: TrainingArguments,
    state: TrainerState,
    control: TrainerControl,
    extra: EventContext = {},
  ): Promise<void> {
    if (this.#underWay.length === 0) for (const flag of cleared[event] ?? []) control[flag] = false
    if (event === 'onEvaluate' && this.#underWay.filter(one => one === event).length >= mostEvaluations)
      throw endlessEvaluation()
    this.#underWay.push(event)
    try {
      for (const callback of [...this.#callbacks]) {
        const answer = await callback[event]?.(args, state, control, this.#contextWith(extra))
        if (answer !== undefined && answer !== null && answer !== control)
          control.take(answer, `${nameOf(callback)}.${event}`)
      }
    } finally {
      this.#underWay.splice(this.#underWay.lastIndexOf(event), 1)
    }
  }

  /** Whether a callback asks for the predictions of evaluations. */
  readsPredictions(model: unknown): boolean {
    return this.#callbacks.some(callback => callback.readsPredictions?.(model) === true)
  }

  /** Has the callbacks release what they hold, after training has thrown: see {@link TrainerCallback.dispose}. */
  async dispose(startsOver = false): Promise<void> {
    await Promise.all(this.#callbacks.map(async callback => callback.dispose?.(startsOver)))
  }

  /**
   * The states of control and callbacks, as {@link TrainerState.statefulCallbacks} holds them: several of one class in
   * a list.
   */
  exportStates(control: TrainerControl): Record<string, CallbackState | CallbackState[]> {
    const states: Record<string, CallbackState | CallbackState[]> = { TrainerControl: control.state() }
    for (const callback of this.#callbacks) {
      const state = callback.state?.()
      if (state === undefined) continue
      const name = nameOf(callback)
      const others = states[name]
      states[name] = others === undefined ? state : [...(Array.isArray(others) ? others : [others]), state]
    }
    return states
  }

  /**
   * Restores stored states to the callbacks of the same class, the first state to the first of them and so on; what
   * they were made with stays. A warning names states without a callback. The control's state is ignored.
   */
  restoreStates(stored: Readonly<Record<string, CallbackState | readonly CallbackState[]>>): void {
    for (const [name, states] of Object.entries(stored)) {
      if (name === 'TrainerControl') continue
      const takers = this.#callbacks.filter(callback => nameOf(callback) === name && callback.restore !== undefined)
      const list = (Array.isArray(states) ? states : [states]) as readonly CallbackState[]
      list.forEach((state, i) => takers[i]?.restore?.(state))
      if (list.length > takers.length) {
        log(
          'warning',
          `The checkpoint has the state of ${list.length} ${name}, but this run has ${takers.length}: ` +
            'the rest is not used.',
        )
      }
    }
  }

  #contextWith({ logs, metrics, evaluated }: EventContext): CallbackContext {
    return {
      ...this.context,
      ...(logs === undefined ? {} : { logs: { ...logs } }),
      ...(metrics === undefined ? {} : { metrics: { ...metrics } }),
      ...(evaluated === undefined ? {} : { evaluated }),
    }
  }
}

/** The class's name; of a plain object, its own `name` or 'Callback'. */
function nameOf(callback: TrainerCallback): string {
  if (callback.constructor !== Object) return callback.constructor.name || 'Callback'
  const { name } = callback as { name?: unknown }
  return typeof name === 'string' ? name : 'Callback'
}

function checkCallback(callback: TrainerCallback): void {
  if (typeof callback !== 'object' || callback === null) {
    throw new TrainerError(
      'argument',
      `A callback is an object or a class with methods like onLog, but this is ${String(callback)}.`,
    )
  }
  for (const name of memberNames(callback)) {
    if (callbackEvents.includes(name as CallbackEvent)) {
      if (typeof callback[name as CallbackEvent] === 'function') continue
      throw new TrainerError('argument', `${nameOf(callback)}.${name} is not a method.`)
    }
    // A method that is named like an event, but is not one, would never be called.
    if (/^on[A-Z_]/.test(name)) throw unknownEvent(callback, name)
  }
}

/** The names of an object's own members and of those that its classes have. */
function memberNames(object: object): string[] {
  const prototype = Object.getPrototypeOf(object) as object | null
  const inherited = prototype === null || prototype === Object.prototype ? [] : memberNames(prototype)
  return [...Object.getOwnPropertyNames(object), ...inherited]
}

function endlessEvaluation(): TrainerError {
  return new TrainerError(
    'training',
    'A callback calls evaluate() in onEvaluate, which every evaluation brings, also the one that it calls: without end.',
    { fix: 'Have it remember that it is evaluating, and return at once if it is.' },
  )
}

function unknownEvent(callback: TrainerCallback, name: string): TrainerError {
  const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  const near = nearest(camel, callbackEvents)
  return new TrainerError(
    'argument',
    `${nameOf(callback)} has a method ${name}, but no event has that name: it would never be called.`,
    { fix: near === undefined ? `The events are ${callbackEvents.join(', ')}.` : `Did you mean ${near}?` },
  )
}
