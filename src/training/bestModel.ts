import type { TrainableModel } from '../auto/TrainableModel'
import type { TrainerState } from '../callbacks/TrainerState'
import { checkpointPath } from '../checkpoint/folders'
import { type RunMark, runOf } from '../checkpoint/runs'
import { loadTrainerState } from '../checkpoint/state'
import { isFolder } from '../files/paths'
import { log } from '../logging'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import { readWeights } from './resuming'

/**
 * The path of the run's checkpoint with the best metric, that of today's step among those that are there; never one that
 * another run has put in its place.
 */
export async function bestCheckpoint(folder: string, run: RunMark, state: TrainerState): Promise<string | undefined> {
  const { bestGlobalStep: best, bestModelCheckpoint, globalStep } = state
  if (best !== undefined) {
    const path = checkpointPath(folder, best)
    if (best === globalStep) return path
    const mark = await runOf(path)
    if (mark !== undefined && mark.id === run.id) return path
  }
  return bestModelCheckpoint !== undefined && (await isAnothers(bestModelCheckpoint, run, state))
    ? undefined
    : bestModelCheckpoint
}

/**
 * Whether a checkpoint is there and is another run's than the one whose best it is to be. One without a name, which a
 * run with a name may have come from, is told by its step and by the best metric in it.
 */
async function isAnothers(path: string, run: RunMark, best: TrainerState): Promise<boolean> {
  const mark = await runOf(path)
  if (mark === undefined || mark.id === run.id) return false
  if (mark.id !== undefined) return true
  const { global_step: step, best_metric: metric } = await loadTrainerState(path)
  return step !== (best.bestGlobalStep ?? step) || metric !== best.bestMetric
}

/** The weights of the best checkpoint, wherever it lies now; undefined, with a warning, where there is none any more. */
export async function bestWeights(
  model: TrainableModel,
  run: RunMark,
  state: TrainerState,
  args: TrainingArguments,
): Promise<ReadonlyMap<string, Tensor<'float32'>> | undefined> {
  const { bestModelCheckpoint: best, bestGlobalStep: step, bestMetric } = state
  const here = step === undefined ? [] : [checkpointPath(args.outputDir, step)]
  const places = best === undefined ? [] : [best, ...here]
  for (const place of places) {
    if (!(await isFolder(place)) || (await isAnothers(place, run, state))) continue
    const weights = await readWeights(model, place)
    const which = step === undefined ? place : `step ${step}`
    log('info', `The model is that of ${which}, the best: ${args.metricForBestModel} ${bestMetric}.`)
    return weights
  }
  const why = best === undefined ? 'no checkpoint of a best model was written' : `the best checkpoint, ${best}, is gone`
  log('warning', `loadBestModelAtEnd: ${why}, so the model is as it was trained last.`)
  return undefined
}
