import { freeMemory, isOutOfMemory } from '../engine/outOfMemory'
import { OutOfMemoryError, TrainerError } from '../errors'
import type { TrainingArguments } from '../TrainingArguments'
import type { MemoryReport } from './memoryReport'

/**
 * An error of a run; where memory ran out, it says what training takes, and what to try, the mildest first.
 * @param report gives what training on such batches takes, or undefined where that cannot be had either.
 */
export async function advisedTraining(
  error: unknown,
  args: TrainingArguments,
  report: () => Promise<MemoryReport | undefined>,
): Promise<unknown> {
  if (!isOutOfMemory(error)) return error
  const taken = needs(await report())
  return new OutOfMemoryError(
    `${withoutAdvice(error)} Memory ran out (${freeMemory()}) with batches of ${args.perDeviceTrainBatchSize} rows.${taken}`,
    { fix: `Try: ${trainingTries(args).join('; ')}.`, cause: error },
  )
}

function trainingTries(args: TrainingArguments): string[] {
  const { perDeviceTrainBatchSize: rows, gradientAccumulationSteps: steps } = args
  const half = Math.ceil(rows / 2)
  const smaller = `perDeviceTrainBatchSize ${half} with gradientAccumulationSteps ${steps * Math.ceil(rows / half)}`
  const isReduced = args.fp16 || args.bf16 || args.device === 'cpu'
  return [
    ...(rows > 1 ? [smaller] : []),
    ...(args.gradientCheckpointing ? [] : ['gradientCheckpointing: true (less memory, more time)']),
    ...(args.autoFindBatchSize || rows === 1 ? [] : ['autoFindBatchSize: true (smaller batches until they fit)']),
    ...(isReduced ? [] : ['fp16: true, or bf16: true on CUDA (most activations in half the bytes)']),
    'shorter rows (maxLength with truncation, where they are tokenized)',
    'a smaller model',
  ]
}

/** What a report says, in a sentence. */
function needs(report: MemoryReport | undefined): string {
  if (report === undefined) return ''
  const { total, loaded, unused, ...parts } = report
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
  const shown = Object.entries({ ...parts, other: loaded + unused }).filter(([, bytes]) => bytes >= 2 ** 19)
  const detail = shown.map(([part, bytes]) => `${part} ${mebibytes(bytes)}`).join(', ')
  return ` By memoryReport() training takes ${mebibytes(total)} MiB${detail && ` (${detail})`}.`
}

/**
 * An error of an evaluation; where memory ran out, it is no longer one that makes training start over, since smaller
 * batches of training would change nothing.
 */
export function advisedEvaluation(error: unknown, { perDeviceEvalBatchSize: rows }: TrainingArguments): unknown {
  if (!isOutOfMemory(error)) return error
  const tries = [
    ...(rows > 1 ? [`perDeviceEvalBatchSize ${Math.ceil(rows / 2)} (autoFindBatchSize does not change it)`] : []),
    'shorter rows (maxLength with truncation, where they are tokenized)',
  ]
  const where = `Memory ran out (${freeMemory()}) in an evaluation with batches of ${rows} rows.`
  return new TrainerError('engine', `${withoutAdvice(error)} ${where}`, {
    fix: `Try: ${tries.join('; ')}.`,
    cause: error,
  })
}

/** An error's message, without what it says to do where it knows nothing of training. */
function withoutAdvice(error: Error): string {
  const message = error instanceof TrainerError ? error.problem : error.message
  return /[.!?]$/.test(message) ? message : `${message}.`
}
