import type { TrainableModel } from '../auto/TrainableModel'
import type { TrainerState } from '../callbacks/TrainerState'
import { checkpointPath } from '../checkpoint/folders'
import { checkpointsOf, type RunMark, runOf } from '../checkpoint/runs'
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
    const steps = best === globalStep ? [best] : (await checkpointsOf(folder, run)).map(({ step }) => step)
    if (steps.includes(best)) return checkpointPath(folder, best)
  }
  return bestModelCheckpoint !== undefined && (await isAnothers(bestModelCheckpoint, run))
    ? undefined
    : bestModelCheckpoint
}

/** Whether a checkpoint is there and says that it is another run's. */
async function isAnothers(path: string, run: RunMark): Promise<boolean> {
  const mark = await runOf(path)
  return mark !== undefined && mark.id !== run.id
}

/** The weights of the best checkpoint, wherever it lies now; undefined, with a warning, where there is none any more. */
export async function bestWeights(
  model: TrainableModel,
  run: RunMark,
  { bestModelCheckpoint: best, bestGlobalStep, bestMetric }: TrainerState,
  args: TrainingArguments,
): Promise<ReadonlyMap<string, Tensor<'float32'>> | undefined> {
  const places = best === undefined ? [] : [best, checkpointPath(args.outputDir, bestGlobalStep!)]
  for (const place of places) {
    if (!(await isFolder(place)) || (await isAnothers(place, run))) continue
    const weights = await readWeights(model, place)
    log('info', `The model is that of step ${bestGlobalStep}, the best: ${args.metricForBestModel} ${bestMetric}.`)
    return weights
  }
  const why = best === undefined ? 'no checkpoint of a best model was written' : `the best checkpoint, ${best}, is gone`
  log('warning', `loadBestModelAtEnd: ${why}, so the model is as it was trained last.`)
  return undefined
}
