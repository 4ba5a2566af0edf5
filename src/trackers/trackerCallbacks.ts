import { type TrackerName, trackerNames } from '../arguments/reportTo'
import type { TrainerCallback } from '../callbacks/TrainerCallback'
import { HtmlReportCallback } from '../report/HtmlReportCallback'
import { TensorBoardCallback } from './TensorBoardCallback'

/** What reports to each tracker, and whether `all` means it here. */
const trackers: Readonly<Record<string, { readonly make: () => TrainerCallback; readonly isHere: () => boolean }>> = {
  html: { make: () => new HtmlReportCallback(), isHere: () => true },
  tensorboard: { make: () => new TensorBoardCallback(), isHere: () => true },
}

/** The callbacks that `reportTo` asks for. */
export function trackerCallbacks(names: readonly (TrackerName | 'all')[]): TrainerCallback[] {
  const wanted = trackerNames.filter(
    name => names.includes(name) || (names.includes('all') && trackers[name]?.isHere()),
  )
  return wanted.map(name => trackers[name]!.make())
}
