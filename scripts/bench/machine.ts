// what a figure was measured on
import { availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'
import { processorFlags } from '../../src/engine/processor'

/** The machine, in words. */
export function describeMachine(): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  const flags = processorFlags()
  const extensions = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].map(
    flag => `${flag} ${flags === undefined ? 'unknown' : flags.has(flag) ? 'yes' : 'no'}`,
  )
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${processor}, ${availableParallelism()} cores (${extensions.join(', ')}), ${memory} GiB, ${type()}`
}

/** Processes that wanted to run in the last minute: far above what is measured, the figures mean little. */
export function load(): number {
  return Number(loadavg()[0]!.toFixed(2))
}
