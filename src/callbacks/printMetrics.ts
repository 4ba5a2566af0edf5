import { standardOutput } from '../terminal/standardStreams'
import type { TextStream } from '../terminal/TextStream'
import { metricsLines } from './format'
import type { LogEntry } from './TrainerState'

/**
 * Prints metrics in columns, sorted by name, in readable units.
 * @param stream standard output by default.
 */
export function printMetrics(split: string, metrics: LogEntry, stream: TextStream = standardOutput()): void {
  stream.write(`${metricsLines(split, metrics).join('\n')}\n`)
}
