import { type TrackerName, trackerNames } from '../arguments/reportTo'
import type { TrainerCallback } from '../callbacks/TrainerCallback'
import { HtmlReportCallback } from '../report/HtmlReportCallback'
import { JsonlFileCallback } from './JsonlFileCallback'
import { isMLflowHere } from './mlflow/settings'
import { MLflowCallback } from './MLflowCallback'
import { TensorBoardCallback } from './TensorBoardCallback'
import { isTrackioHere, TrackioCallback } from './TrackioCallback'
import { isWandbHere } from './wandb/sdk'
import { WandbCallback } from './WandbCallback'

/** What reports to each tracker, and whether `all` means it here. */
const trackers: Readonly<
  Record<TrackerName, { readonly make: () => TrainerCallback; readonly isHere: () => boolean }>
> = {
  html: { make: () => new HtmlReportCallback(), isHere: () => true },
  tensorboard: { make: () => new TensorBoardCallback(), isHere: () => true },
  wandb: { make: () => new WandbCallback(), isHere: isWandbHere },
  mlflow: { make: () => new MLflowCallback(), isHere: isMLflowHere },
  trackio: { make: () => new TrackioCallback(), isHere: isTrackioHere },
  jsonl: { make: () => new JsonlFileCallback(), isHere: () => true },
}

/**
 * The callbacks that `reportTo` asks for, in its order. @throws TrainerError (`argument`) for one that cannot be had
 * here.
 */
export function trackerCallbacks(names: readonly (TrackerName | 'all')[]): TrainerCallback[] {
  const here = trackerNames.filter(name => trackers[name].isHere())
  const wanted = new Set(names.flatMap(name => (name === 'all' ? here : [name])))
  return [...wanted].map(name => trackers[name].make())
}
