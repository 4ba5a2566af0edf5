import { availableParallelism, cpus, totalmem } from 'node:os'
import { defaultThreads } from './Engine'
import { processorFlags } from './processor'

/** The machine that a process runs on, as far as that is known without starting anything; sizes in bytes. */
export interface Machine {
  readonly node: string
  readonly platform: string
  readonly processor: Processor
  readonly memory: {
    readonly total: number
    /** What a container allows, where it is less than the machine has. */
    readonly limit: number | undefined
  }
}

export interface Processor {
  readonly model: string
  readonly logical: number
  /** Threads of one operator, by default. */
  readonly threads: number
  /** Those instruction sets, of the ones that decide the speed of training, that the processor has. */
  readonly flags: readonly string[]
}

// Fast float32 needs AVX2 or AVX-512 (Arm: asimd, SVE); bfloat16 that pays needs AMX, and not AVX512-BF16 alone.
const decisiveFlags = [
  'avx2',
  'fma',
  'avx512f',
  'avx512_bf16',
  'avx512_vnni',
  'amx_bf16',
  'amx_tile',
  'asimd',
  'sve',
  'bf16',
  'i8mm',
]

/** Looks at the machine. */
export function describeMachine(): Machine {
  const instructions = processorFlags()
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      logical: availableParallelism(),
      threads: defaultThreads(),
      flags: decisiveFlags.filter(flag => instructions?.has(flag)),
    },
    memory: { total: totalmem(), limit: memoryLimit() },
  }
}

function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : undefined
}
