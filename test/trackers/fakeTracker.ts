import type { TrackedLog, TrackedRun, Tracker } from '../../src/trackers/Tracker'
import { TrackerCallback } from '../../src/trackers/TrackerCallback'

/** What a tracker was told of a run, and when. */
export interface Told {
  readonly run: TrackedRun
  readonly logs: TrackedLog[]
  end?: string
}

/** A tracker that remembers what it is told, under the ids run-1, run-2, …; parts of it may be replaced. */
export function fakeTracker(replaced: Partial<Tracker> = {}): { readonly tracker: Tracker; readonly told: Told[] } {
  const told: Told[] = []
  const tracker: Tracker = {
    name: 'Fake',
    open: async run => {
      const one: Told = { run, logs: [] }
      told.push(one)
      return {
        identity: run.resumed ?? { id: `run-${told.length}` },
        log: async entries => void one.logs.push(...entries),
        finish: async end => void (one.end = end),
      }
    },
    ...replaced,
  }
  return { tracker, told }
}

/** A callback as those of index are, of a class of its own. */
export class FakeCallback extends TrackerCallback {}

/** Never settled. */
export const never = <Value>(): Promise<Value> => new Promise<Value>(() => undefined)
