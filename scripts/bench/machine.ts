// what a figure was measured on
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'

/** The machine, in words. */
export function describeMachine(): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  const flags = processorFlags()
  const extensions = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].map(flag => `${flag} ${flags === undefined ? 'unknown' : flags.has(flag) ? 'yes' : 'no'}`)
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores (${extensions.join(', ')}), ${memory} GiB, ${type()}`
}

/** The processor's extensions; undefined where the system has no list of them. */
export function processorFlags(): ReadonlySet<string> | undefined {
  try {
    return new Set(/^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '))
  } catch {
    return undefined
  }
}

/** Processes that wanted to run in the last minute: far above what is measured, the figures mean little. */
export function load(): number {
  return Number(loadavg()[0]!.toFixed(2))
}
