import {
  Dataset,
  type LossFunction,
  meanSquaredError,
  type PreTrainedModel,
  type TrainingArgumentsOptions,
} from '../../../src/index'
import { tinyModel, rows, run } from '../support'

/** The gradients of the head's bias in the three updates of {@link biasByUpdate}. */
export const gradients = [0.5, -0.2, 0.3] as const

/** The rate of those updates, unless a schedule changes it. */
export const rate = 0.1

/** Rows × logit × label: its gradient with respect to the bias is the mean of the batch's labels, whatever the weights. */
const linear: LossFunction = ({ logits }, labels, _count, graph) => ({
  sum: graph.sum(graph.mul(graph.reshape(logits, [-1]), labels)),
  count: meanSquaredError(graph, logits, labels).count,
})

/** The head's bias, 0 at first, after each of three updates whose gradients are known. */
export async function biasByUpdate(args: TrainingArgumentsOptions): Promise<number[]> {
  const values: number[] = []
  const scattered = [0.25, -0.25, 0.5, -0.5]
  const trainDataset = Dataset.fromRows(
    rows(12).map((row, i) => ({ ...row, label: gradients[Math.floor(i / 4)]! + scattered[i % 4]! })),
  )
  await run(
    {
      learningRate: rate,
      lrSchedulerType: 'constant',
      maxGradNorm: 0,
      trainSamplingStrategy: 'sequential',
      numTrainEpochs: 1,
      ...args,
    },
    {
      model: tinyModel({}, { numLabels: 1 }),
      trainDataset,
      computeLossFunc: linear,
      callbacks: [
        {
          onStepEnd: (_args, _state, _control, context) =>
            void values.push((context.model as PreTrainedModel).parameter('classifier.bias').data[0]!),
        },
      ],
    },
  )
  return values
}

/** A rule that moves a number by its gradient; it counts the steps from 1. */
type Rule = (gradient: number, step: number) => number

/** Where a rule takes a number that begins at 0. */
export function path(rule: Rule): number[] {
  let value = 0
  return gradients.map((gradient, i) => (value -= rule(gradient, i + 1)))
}

export function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {}): Rule {
  let first = 0
  let second = 0
  return (gradient, step) => {
    first = beta1 * first + (1 - beta1) * gradient
    second = beta2 * second + (1 - beta2) * gradient ** 2
    return (rate * (first / (1 - beta1 ** step))) / (Math.sqrt(second / (1 - beta2 ** step)) + epsilon)
  }
}

export function sgd({ momentum = 0, rates = [rate, rate, rate] } = {}): Rule {
  let velocity = 0
  return (gradient, step) => rates[step - 1]! * (velocity = momentum * velocity + gradient)
}

export function adagrad(): Rule {
  let sum = 0
  return gradient => (rate * gradient) / (Math.sqrt((sum += gradient ** 2)) + 1e-10)
}

export function rmsprop(): Rule {
  let square = 0
  return gradient => (rate * gradient) / (Math.sqrt((square = 0.99 * square + 0.01 * gradient ** 2)) + 1e-8)
}

/** Of one element, whose root mean square is its size. */
export function adafactor(): Rule {
  let square = 0
  return (gradient, step) => {
    const decay = 1 - step ** -0.8
    square = decay * square + (1 - decay) * (gradient ** 2 + 1e-30)
    const move = gradient / Math.sqrt(square)
    return (rate * move) / Math.max(1, Math.abs(move))
  }
}

export function lion({ beta1 = 0.9, beta2 = 0.999 } = {}): Rule {
  let momentum = 0
  return gradient => {
    const move = Math.sign(beta1 * momentum + (1 - beta1) * gradient)
    momentum = beta2 * momentum + (1 - beta2) * gradient
    return rate * move
  }
}
