import { freemem, totalmem } from 'node:os'
import { OutOfMemoryError } from '../errors'
import { StatusError } from './StatusError'

/**
 * Whether an error says that memory ran out, so that less at once may do: by an engine's own error, by what ONNX Runtime
 * answers, or by an array that JavaScript could not make.
 */
export function isOutOfMemory(error: unknown): error is Error {
  if (error instanceof OutOfMemoryError) return true
  if (error instanceof StatusError) return saysOutOfMemory(error.reason)
  return error instanceof RangeError && /Array buffer allocation failed/.test(error.message)
}

/** Whether a message of ONNX Runtime, or of a provider's library, says that memory ran out. */
export function saysOutOfMemory(reason: string): boolean {
  return /bad_alloc|out of memory|\bOOM\b|failed to allocate|available memory of|BFCArena/i.test(reason)
}

/** What to do when memory ran out, for whoever runs programs. */
export function adviceOutOfMemory(): string {
  return `Memory ran out (${freeMemory()}): use a smaller batch with more gradient accumulation steps, shorter rows, or gradientCheckpointing.`
}

/** How much of the machine's memory is free, for messages. */
export function freeMemory(): string {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)
  return `${gigabytes(freemem())} of ${gigabytes(totalmem())} GiB are free on this machine`
}
