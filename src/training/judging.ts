import { quoted, TrainerError } from '../errors'
import type { Head } from '../heads/Head'
import type { TrainerState } from '../callbacks/TrainerState'
import { log } from '../logging'
import { isBetter } from '../metrics/better'
import type { Metrics } from '../metrics/Metrics'
import type { LossScale } from '../optim/lossScale'
import { isFiniteUpdate } from '../optim/updateSums'
import type { LoadedBatch } from './LoadedBatch'
import { whereLabelsAre } from './evaluation'
import type { TrainingArguments } from '../TrainingArguments'
import { metricNamed } from './rates'

/** What an update came to. */
export interface MeasuredUpdate {
  readonly loss: number
  readonly gradNorm: number
  readonly rate: number
}

/** What an update came to, and whether it is left out because its loss or gradient is not finite. */
export interface JudgedUpdate extends MeasuredUpdate {
  readonly skipped: boolean
  /** It is left out because its gradients, times the loss scale, are more than float16 holds. */
  readonly overflowed: boolean
}

/** By what an update is judged. */
export interface Judging {
  /** The updates before it. */
  readonly step: number
  readonly onNonFinite: TrainingArguments['onNonFinite']
  readonly lastFiniteLoss: number | undefined
  /** Of training in float16. It takes note of the update. */
  readonly lossScale: LossScale | undefined
}

/** Whether an update that is not finite is left out, whatever else it leads to. */
export function leavesOutNonFinite({ onNonFinite, lossScale }: Pick<Judging, 'onNonFinite' | 'lossScale'>): boolean {
  return onNonFinite !== 'continue' || lossScale?.canShrink === true
}

/**
 * Whether an update has been left out.
 * @throws TrainerError ('training') for a loss or gradient that is not finite, unless the loss scale is to blame or the
 * arguments say otherwise.
 */
export function judgeUpdate(update: MeasuredUpdate, judging: Judging): JudgedUpdate {
  const { step, onNonFinite, lastFiniteLoss, lossScale } = judging
  const { loss, gradNorm, rate } = update
  const leavesOut = leavesOutNonFinite(judging)
  const overflowed = Number.isFinite(loss) && !Number.isFinite(gradNorm) && lossScale?.canShrink === true
  if (overflowed)
    log('info', `Step ${step + 1} is skipped: its gradients overflow at the loss scale ${lossScale.scale}.`)
  lossScale?.update(Number.isFinite(gradNorm))
  if (overflowed) return { ...update, skipped: true, overflowed }
  if (isFiniteUpdate(update)) return { ...update, skipped: false, overflowed }
  const what = Number.isFinite(loss) ? `gradient norm is ${gradNorm}` : `loss is ${loss}`
  if (onNonFinite === 'error') {
    const before = lastFiniteLoss === undefined ? '' : `, last finite loss ${lastFiniteLoss}`
    throw new TrainerError(
      'training',
      `The ${what} at step ${step + 1} (learning rate ${Number(rate.toPrecision(6))}${before}).`,
      {
        fix: `${nonFiniteAdvice(loss, lastFiniteLoss)}; or set onNonFinite to "skip" to leave such updates out.`,
      },
    )
  }
  if (leavesOut) log('warning', `Step ${step + 1} is skipped: its ${what}.`)
  return { ...update, skipped: leavesOut, overflowed }
}

function nonFiniteAdvice(loss: number, lastFiniteLoss: number | undefined): string {
  // a run's first loss is of weights as they were given: no rate has made it so
  return Number.isFinite(loss) || lastFiniteLoss !== undefined
    ? 'Lower learningRate, add warmupSteps, check the labels'
    : 'Look for numbers that are not finite in the inputs, the labels and the weights'
}

/** Takes note in the state of an evaluation that is the best so far, and says whether it is. */
export function noteBest(state: TrainerState, metrics: Metrics, args: TrainingArguments): boolean {
  const { metricForBestModel: name, greaterIsBetter, saveStrategy } = args
  if (name === undefined) return false
  const value = metricNamed(metrics, name)
  if (!isBetter(value, state.bestMetric, greaterIsBetter)) return false
  state.bestMetric = value
  if (saveStrategy !== 'no') state.bestGlobalStep = state.globalStep
  return true
}

/** @throws TrainerError ('data') naming a row of a batch without labels. */
export function checkLabelled({ batch, rows }: LoadedBatch, { labelNames, task }: Head): void {
  if (labelNames.every(name => batch[name] !== undefined)) return
  const columns = quoted(Object.keys(batch))
  throw new TrainerError(
    'data',
    `Row ${rows[0]} of the training dataset has no labels: the columns of its batch are ${columns}.`,
    { fix: whereLabelsAre[task] ?? (labelNames.includes('labels') ? adviceForColumn : adviceFor(labelNames)) },
  )
}

function adviceFor(names: readonly string[]): string {
  const alone = names.length === 1 ? ' or "labels"; labelNames names a column that is called otherwise' : ''
  return `The model takes ${quoted(names)}: return it from the data collator under that name${alone}.`
}

const adviceForColumn =
  'If the dataset has a column "label", leave rows out where it is empty: filter(row => row.label !== null). ' +
  'Else add one, or name it with labelNames; a data collator of your own returns it as "labels".'
