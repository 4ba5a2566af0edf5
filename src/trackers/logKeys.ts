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
