import { adafactor } from '../optim/adafactor'
import { adagrad } from '../optim/adagrad'
import { adamw } from '../optim/adamw'
import { lion } from '../optim/lion'
import type { Optimizer } from '../optim/Optimizer'
import { rmsprop } from '../optim/rmsprop'
import { sgd } from '../optim/sgd'
import type { OptimizerKind, TrainingArguments } from '../TrainingArguments'

/** The optimizer that the arguments name, with what Hugging Face's Trainer passes to it. */
export function optimizerOf(args: TrainingArguments): Optimizer {
  const betas = { beta1: args.adamBeta1, beta2: args.adamBeta2 }
  const { eps, ...given } = args.optimArgs as Readonly<Record<string, number>>
  const options = eps === undefined ? given : { ...given, epsilon: eps }
  const make: Readonly<Record<OptimizerKind, () => Optimizer>> = {
    adamw: () => adamw({ ...betas, epsilon: args.adamEpsilon }),
    lion: () => lion(betas),
    sgd: () => sgd(options),
    adagrad: () => adagrad(options),
    rmsprop: () => rmsprop(options),
    adafactor: () => adafactor(),
  }
  return make[args.optimizerKind]()
}
