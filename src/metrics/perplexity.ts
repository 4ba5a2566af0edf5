import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { refuseArguments, shown } from '../options'
import { Tensor } from '../tensor'
import { gather, type GatheringMetric, type GivenRows } from './gather'

/**
 * The perplexity of a language model with this mean loss, exp(loss), as Hugging Face's scripts compute it of
 * `eval_loss`: from among how many words, all as likely, it would choose. Infinity where that is too large.
 * @throws TrainerError (`argument`) for what is not a number.
 * @example
 * perplexity(Math.log(2)) // 2
 * const metrics = await trainer.evaluate()
 * console.log(perplexity(metrics['eval_loss'] as number))
 */
export function perplexity(evalLoss: number): number
export function perplexity(evalLoss: number, ...extra: readonly unknown[]): number {
  refuseArguments(extra, 'perplexity()')
  if (typeof evalLoss === 'number') return Math.exp(evalLoss)
  throw new TrainerError('argument', `perplexity() takes a mean loss, not ${shown(evalLoss)}.`, {
    fix: "Give it metrics['eval_loss'] of trainer.evaluate().",
  })
}

/** Logits [rows, length, words], and the words' numbers [rows, length], -100 where none was hidden. */
export interface PerplexityRows {
  readonly predictions: Tensor
  readonly references: Tensor
}

/** What is kept of a batch: the sum of its losses, and of how many words. */
interface Losses {
  readonly sum: number
  readonly count: number
}

/** Perplexity of logits; of a batch two numbers are kept. */
export function perplexityMetric(): GatheringMetric<{ readonly perplexity: number }> {
  return gather<Losses, { readonly perplexity: number }>({
    name: 'perplexity',
    options: [],
    checkOptions: () => {},
    read: lossesOf,
    compute(batches) {
      const count = batches.reduce((all, losses) => all + losses.count, 0)
      if (count === 0)
        throw new TrainerError('data', 'perplexity: no label counts, all are -100.', {
          fix: 'The label of a hidden word is its number: DataCollatorForLanguageModeling makes such labels.',
        })
      return { perplexity: perplexity(batches.reduce((all, losses) => all + losses.sum, 0) / count) }
    },
  })
}

function lossesOf(given: GivenRows): Losses {
  const { predictions, references } = tensorsOf(given)
  const words = predictions.dims.at(-1)!
  const logits = predictions.data
  const losses = { sum: 0, count: 0 }
  for (let place = 0; place < references.size; place++) {
    const label = Number(references.data[place])
    if (label === ignoredIndex) continue
    if (!Number.isInteger(label) || label < 0 || label >= words)
      throw new TrainerError('data', `perplexity: a label is ${label}, but the logits are of ${words} words.`, {
        fix: `Labels are 0 to ${words - 1}, or -100, which does not count.`,
      })
    let top = -Infinity
    for (let word = 0; word < words; word++) top = Math.max(top, Number(logits[place * words + word]))
    let total = 0
    for (let word = 0; word < words; word++) total += Math.exp(Number(logits[place * words + word]) - top)
    losses.sum += Math.log(total) + top - Number(logits[place * words + label])
    losses.count++
  }
  return losses
}

function tensorsOf({ predictions, references }: GivenRows): PerplexityRows {
  for (const [side, given] of Object.entries({ predictions, references })) {
    if (!(given instanceof Tensor))
      throw new TrainerError('argument', `perplexity: ${side} should be a tensor, not ${shown(given)}.`, {
        fix: 'Give it what computeMetrics gets, or Tensor.from of lists.',
      })
    if (given.dtype === 'float16' || given.dtype === 'bfloat16')
      throw new TrainerError('data', `perplexity: ${side} are ${given.dtype}.`, { fix: 'Convert them to float32.' })
  }
  const [logits, labels] = [predictions, references] as [Tensor, Tensor]
  if (logits.dims.length === labels.dims.length + 1 && labels.dims.every((size, axis) => size === logits.dims[axis]))
    return { predictions: logits, references: labels }
  const [given, wanted] = [logits, labels].map(({ dims }) => `[${dims.join(', ')}]`)
  throw new TrainerError('data', `perplexity: the predictions have the shape ${given}, and the references ${wanted}.`, {
    fix: 'Give logits [rows, length, words] and labels [rows, length]: predictions without argmax.',
  })
}
