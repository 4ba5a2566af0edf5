import { readFileSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { OutOfMemoryError } from '../errors'
import { StatusError } from './StatusError'

/**
 * Whether an error says that memory ran out, so that less at once may do: by an engine's own error, by what ONNX Runtime
 * answers, or by an array that JavaScript could not make.
 */
export function isOutOfMemory(error: unknown): error is Error {
  if (error instanceof OutOfMemoryError) return true
  if (error instanceof StatusError) return saysOutOfMemory(error.reason)
  return error instanceof RangeError && /Array buffer allocation failed|WebAssembly\.Memory/.test(error.message)
}

/** Whether a message of ONNX Runtime, or of a provider's library, says that memory ran out. */
export function saysOutOfMemory(reason: string): boolean {
  return /bad_alloc|out of memory|\bOOM\b|failed to allocate|available memory of|BFCArena/i.test(reason)
}

/** What to do when memory ran out, for whoever runs programs. */
export function adviceOutOfMemory(): string {
  return `Memory ran out (${freeMemory()}): use a smaller batch with more gradient accumulation steps, shorter rows, or gradientCheckpointing.`
}

/** How much of the machine's memory is free, for messages, and what this process is limited to. */
export function freeMemory(): string {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)
  const free = `${gigabytes(freemem())} of ${gigabytes(totalmem())} GiB are free on this machine`
  const limit = addressLimit()
  return limit === undefined ? free : `${free}, but ulimit -v allows this process ${gigabytes(limit)} GiB of addresses`
}

/** The limit of this process's address space in bytes, where there is one and the system says so. */
function addressLimit(): number | undefined {
  try {
    const limit = /^Max address space\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined // other systems than Linux
  }
}

/**
 * Has JavaScript free at once what nothing holds any more: shared memory of weights and gradients, which V8 does not count
 * and would leave beside that of the next attempt, and the one after it.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc') // the contexts of others are to be as they were
  collect()
  collect() // which ends what the first one has left to a thread beside: giving back the memory of arrays
}
