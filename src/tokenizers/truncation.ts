// how long each of two texts may be
import { TrainerError } from '../errors'

/** Which of two texts is cut, in Python's words. */
export type TruncationStrategy = 'longest_first' | 'only_first' | 'only_second' | 'do_not_truncate'

/**
 * The lengths to cut two texts to (`second` undefined: there is only one), so that together they have at most `budget`
 * tokens, by the rule of the Rust library (tokenizers, `truncate_encodings`): with `longest_first` the longer text is
 * cut to what the shorter leaves; if that makes it the shorter one, both share the budget and the longer text (the
 * second, if they are equal) gets the odd token.
 * @throws TrainerError (`data`) when the only text that may be cut is too short for that.
 */
export function truncatedLengths(
  first: number,
  second: number | undefined,
  budget: number,
  strategy: TruncationStrategy,
): [number, number] {
  const a = first
  const b = second ?? 0
  if (a + b <= budget || strategy === 'do_not_truncate') return [a, b]
  if (budget === 0) return [0, 0]
  if (strategy === 'longest_first')
    return second === undefined ? [budget, 0] : a <= b ? shared(a, b, budget) : reverse(shared(b, a, budget))
  if (strategy === 'only_second' && second === undefined)
    throw tooShort("truncation is 'only_second', but there is no second text.")
  const surplus = a + b - budget
  if (strategy === 'only_first' && a > surplus) return [a - surplus, b]
  if (strategy === 'only_second' && b > surplus) return [a, b - surplus]
  const cut = strategy === 'only_first' ? `first text has only ${a}` : `second text has only ${b}`
  throw tooShort(`truncation '${strategy}' has to drop ${surplus} tokens, but the ${cut}.`)
}

function shared(shorter: number, longer: number, budget: number): [number, number] {
  const rest = shorter > budget ? shorter : Math.max(shorter, budget - shorter)
  if (shorter + rest <= budget) return [shorter, Math.min(rest, longer)]
  const half = Math.floor(budget / 2)
  return [half, half + (budget % 2)]
}

function reverse([a, b]: [number, number]): [number, number] {
  return [b, a]
}

function tooShort(message: string): TrainerError {
  return new TrainerError('data', message, { fix: "Use truncation: true ('longest_first'), or a larger maxLength." })
}
