import { type TrackerName, trackerNames } from '../arguments/reportTo'
import type { TrainerCallback } from '../callbacks/TrainerCallback'
import { JsonlFileCallback } from './JsonlFileCallback'
import { TensorBoardCallback } from './TensorBoardCallback'
import { isWandbHere } from './wandb/sdk'
import { WandbCallback } from './wandb/WandbCallback'

/** What reports to each tracker, and whether `all` means it here. */
const trackers: Readonly<Record<string, { readonly make: () => TrainerCallback; readonly isHere: () => boolean }>> = {
  tensorboard: { make: () => new TensorBoardCallback(), isHere: () => true },
  wandb: { make: () => new WandbCallback(), isHere: isWandbHere },
  jsonl: { make: () => new JsonlFileCallback(), isHere: () => true },
}

/** The callbacks that `reportTo` asks for. */
export function trackerCallbacks(names: readonly (TrackerName | 'all')[]): TrainerCallback[] {
  const wanted = trackerNames.filter(
    name => names.includes(name) || (names.includes('all') && trackers[name]?.isHere()),
  )
  return wanted.map(name => trackers[name]!.make())
}
