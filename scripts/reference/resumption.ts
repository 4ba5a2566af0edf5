import type { Entry, Expected } from './entries'

/** From an entry of the oracle to what is expected of ours. */
export type Expectation = (entry: Entry) => Expected

/** Nothing but the entry itself. */
export const asItIs: Expectation = entry => ({ entry })

/** A run that resumed from a checkpoint, beside the one that was not interrupted. */
export interface ResumedOracle {
  readonly resumedFrom: number
  readonly globalStep: number
  /**
   * Whether it went another way than the uninterrupted one: on other rows (`ignore_data_skip`), or without the
   * optimizer's state (`save_only_model`).
   */
  readonly diverges: boolean
  readonly history: readonly Entry[]
  readonly uninterrupted: readonly Entry[]
}

/**
 * What is expected of a resumed run where transformers forgets: its `train_loss`, and the first loss logged if the
 * checkpoint lies between two logs, know nothing of the updates before the checkpoint. Ours are the uninterrupted
 * run's; where that one went another way or further, what the logs say of all updates; and where these do not, such a
 * value is not compared.
 */
export function afterResuming(oracle: ResumedOracle): Expectation {
  const losses = oracle.history.filter(entry => 'loss' in entry)
  const onLog = oracle.resumedFrom === 0 || losses.some(({ step }) => step === oracle.resumedFrom)
  const first = onLog ? undefined : losses.find(({ step }) => Number(step) > oracle.resumedFrom)?.step
  const whole = oracle.diverges
    ? undefined
    : oracle.uninterrupted.find(entry => 'train_loss' in entry && entry.step === oracle.globalStep)
  const trainLoss = whole?.train_loss ?? (onLog ? meanLoss(losses, oracle.globalStep) : undefined)
  const firstLoss = oracle.diverges
    ? undefined
    : oracle.uninterrupted.find(entry => 'loss' in entry && entry.step === first)?.loss
  return entry => {
    if ('train_loss' in entry) return changed(entry, 'train_loss', trainLoss)
    return 'loss' in entry && first !== undefined && entry.step === first
      ? changed(entry, 'loss', firstLoss)
      : { entry }
  }
}

function changed(entry: Entry, name: string, value: unknown): Expected {
  return value === undefined ? { entry, chosen: key => key !== name } : { entry: { ...entry, [name]: value } }
}

/**
 * The mean over all updates, if the last one was logged: each logged loss is the mean of the updates since the log
 * before it.
 */
function meanLoss(losses: readonly Entry[], globalStep: number): number | undefined {
  if (losses.at(-1)?.step !== globalStep) return undefined
  return (
    losses.reduce(
      (sum, { loss, step }, i) => sum + Number(loss) * (Number(step) - Number(losses[i - 1]?.step ?? 0)),
      0,
    ) / globalStep
  )
}
