import type { LogEntry } from '../callbacks/TrainerState'
import { logOnce } from '../logging'

/**
 * A key as trackers show it: `eval_loss` is `eval/loss`, `test_f1` is `test/f1`, anything else is of training. The rule of
 * `rewrite_logs` in transformers.
 */
export function trackedKey(key: string): string {
  const [, part, name] = /^(eval|test)_(.*)$/s.exec(key) ?? []
  return part === undefined ? `train/${key}` : `${part}/${name}`
}

const ofTheWholeRun = 'train_runtime train_samples_per_second train_steps_per_second train_loss total_flos'.split(' ')

/** Whether a key is of what a run says once, at its end, and so no curve: `single_value_scalars` in transformers. */
export function isOfTheWholeRun(key: string): boolean {
  return ofTheWholeRun.includes(key)
}

/** A value as JSON takes it: of a number that is not finite, for which JSON has no word, the text that Python sends. */
export function jsonValue(value: number | string): number | string {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/**
 * What a log holds under {@link trackedKey}s, of the kinds that a tracker has; the rest is left out, with a warning.
 */
export function trackedLogs(
  logs: LogEntry,
  tracker: string,
  kinds: readonly ('number' | 'string')[],
): Readonly<Record<string, number | string>> {
  return Object.fromEntries(valuesOf(logs, tracker, kinds).map(([key, value]) => [trackedKey(key), value]))
}

/** Keys and values of a log that are of the kinds that a tracker has; the rest is left out, with a warning. */
export function valuesOf(
  logs: LogEntry,
  tracker: string,
  kinds: readonly ('number' | 'string')[],
): [string, number | string][] {
  const plain = Object.entries(logs).map(
    ([key, value]) => [key, typeof value === 'boolean' ? Number(value) : value] as const,
  )
  return plain.flatMap(([key, value]) => {
    if (kinds.includes(typeof value as 'number')) return [[key, value as number]]
    const kind = Array.isArray(value)
      ? 'a list'
      : value === null
        ? 'null'
        : typeof value === 'object'
          ? 'an object'
          : 'a text'
    logOnce('warning', `${tracker} has no place for ${key}, which is ${kind}: it is left out there.`)
    return []
  })
}
