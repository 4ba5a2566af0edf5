import type { TextStream } from '../terminal/TextStream'
import { metricsLines } from './format'
import type { LogEntry } from './TrainerState'

/**
 * Prints metrics in columns, sorted by name, in units for people to read.
 * @param stream where to; standard output unless given.
 */
export function printMetrics(split: string, metrics: LogEntry, stream: TextStream = process.stdout): void {
  stream.write(`${metricsLines(split, metrics).join('\n')}\n`)
}
