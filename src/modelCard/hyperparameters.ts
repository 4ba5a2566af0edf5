import { writeOptimizerArguments } from '../arguments/optimizers'
import { snakeCase } from '../arguments/spelling'
import { pythonFloat } from '../pythonNumbers'
import type { TrainingArguments } from '../TrainingArguments'

/**
 * How the model was trained, line by line, as Python's card says it.
 * @param optimizer the optimizer's name, after training.
 */
export function hyperparameters(args: TrainingArguments, optimizer: string | undefined): string[] {
  const total = args.trainBatchSize * args.gradientAccumulationSteps
  const lines: readonly (readonly [string, string | number | undefined])[] = [
    ['learning_rate', pythonFloat(args.learningRate)],
    ['train_batch_size', args.trainBatchSize],
    ['eval_batch_size', args.evalBatchSize],
    ['seed', args.seed],
    ['gradient_accumulation_steps', args.gradientAccumulationSteps > 1 ? args.gradientAccumulationSteps : undefined],
    ['total_train_batch_size', total === args.trainBatchSize ? undefined : total],
    ['optimizer', optimizerText(args, optimizer)],
    ['lr_scheduler_type', args.lrSchedulerType],
    ['lr_scheduler_warmup_steps', args.warmupSteps || undefined],
    args.maxSteps > 0 ? ['training_steps', args.maxSteps] : ['num_epochs', args.numTrainEpochs],
    ['mixed_precision_training', args.fp16 ? 'Native AMP' : undefined],
    ['label_smoothing_factor', args.labelSmoothingFactor || undefined],
  ]
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [`- ${name}: ${numberOrText(value)}`]))
}

function optimizerText(args: TrainingArguments, optimizer: string | undefined): string {
  if (optimizer !== undefined && optimizer !== args.optimizerKind) return `Use ${optimizer}` // one of the user's own
  const extra = writeOptimizerArguments(args.optimArgs, snakeCase) ?? 'No additional optimizer arguments'
  if (!args.optim.includes('adam')) return `Use ${args.optim} and the args are:\n${extra}`
  const betas = [args.adamBeta1, args.adamBeta2].map(pythonFloat)
  return `Use ${args.optim} with betas=(${betas.join(',')}) and epsilon=${pythonFloat(args.adamEpsilon)} and optimizer_args=${extra}`
}

/** JavaScript has one kind of numbers: what is whole is written so, as Python writes what was given so. */
function numberOrText(value: string | number): string {
  return typeof value === 'string' || Number.isInteger(value) ? String(value) : pythonFloat(value)
}
