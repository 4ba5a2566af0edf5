import type { TrainableModel } from '../auto/TrainableModel'
import type { TrainerState } from '../callbacks/TrainerState'
import { checkpointPath, listCheckpoints } from '../checkpoint/rotate'
import { isFolder } from '../files/paths'
import { log } from '../logging'
import type { Tensor } from '../tensor'
import type { TrainingArguments } from '../TrainingArguments'
import { readWeights } from './resuming'

/** The path of the checkpoint with the best metric, that of today's step among those that are there. */
export async function bestCheckpoint(folder: string, state: TrainerState): Promise<string | undefined> {
  const { bestGlobalStep: best, bestModelCheckpoint, globalStep } = state
  if (best === undefined) return bestModelCheckpoint
  const steps = (await listCheckpoints(folder)).map(({ step }) => step)
  return [...steps, globalStep].includes(best) ? checkpointPath(folder, best) : bestModelCheckpoint
}

/** The weights of the best checkpoint, wherever it lies now; undefined, with a warning, where there is none any more. */
export async function bestWeights(
  model: TrainableModel,
  { bestModelCheckpoint: best, bestGlobalStep, bestMetric }: TrainerState,
  args: TrainingArguments,
): Promise<ReadonlyMap<string, Tensor<'float32'>> | undefined> {
  const places = best === undefined ? [] : [best, checkpointPath(args.outputDir, bestGlobalStep!)]
  for (const place of places) {
    if (!(await isFolder(place))) continue
    const weights = await readWeights(model, place)
    log('info', `The model is that of step ${bestGlobalStep}, the best: ${args.metricForBestModel} ${bestMetric}.`)
    return weights
  }
  const why = best === undefined ? 'no checkpoint of a best model was written' : `the best checkpoint, ${best}, is gone`
  log('warning', `loadBestModelAtEnd: ${why}, so the model is as it was trained last.`)
  return undefined
}
