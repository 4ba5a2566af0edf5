import { freeMemory, isOutOfMemory } from '../engine/outOfMemory'
import { OutOfMemoryError, TrainerError } from '../errors'
import type { TrainingArguments } from '../TrainingArguments'

/** An error of a run; where memory ran out, it says what to try, the mildest first. */
export function advisedTraining(error: unknown, args: TrainingArguments): unknown {
  if (!isOutOfMemory(error)) return error
  const { perDeviceTrainBatchSize: rows, gradientAccumulationSteps: steps, autoFindBatchSize } = args
  const half = Math.ceil(rows / 2)
  const tries = [
    ...(rows > 1
      ? [`perDeviceTrainBatchSize ${half} with gradientAccumulationSteps ${steps * Math.ceil(rows / half)}`]
      : []),
    ...(args.gradientCheckpointing ? [] : ['gradientCheckpointing: true (less memory, more time)']),
    ...(autoFindBatchSize || rows === 1 ? [] : ['autoFindBatchSize: true (smaller batches until they fit)']),
    'shorter rows (maxLength with truncation, where they are tokenized)',
    'a smaller model',
  ]
  return new OutOfMemoryError(
    `${withoutAdvice(error)} Memory ran out (${freeMemory()}) with batches of ${rows} rows.`,
    {
      fix: `Try: ${tries.join('; ')}.`,
      cause: error,
    },
  )
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
