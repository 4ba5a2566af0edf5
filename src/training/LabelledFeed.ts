import type { EngineValue, EngineValues, Program } from '../engine/Engine'
import { TrainerError } from '../errors'
import type { Feed } from '../feeds/FeedLayout'
import type { LabelFeed } from '../heads/Head'
import { labelCountInput, labelCountOf } from '../programs/loss'
import { Tensor } from '../tensor'

/** A batch with its labels as the inputs of a program. */
export interface LabelledFeed extends Feed {
  readonly labels: LabelFeed | undefined
  /** That of the batch's main input. */
  readonly shape: readonly number[]
  /** Whether nothing is wanted of it but its loss. */
  readonly lossOnly: boolean
}

/**
 * What a program asks for, out of what there is.
 * @param counted the labels that count in the whole update, or in the batch of an evaluation.
 */
export function inputsOf(
  program: Program,
  feed: LabelledFeed,
  { count, counts = {} }: Pick<LabelFeed, 'count' | 'counts'>,
  values: EngineValues,
): Record<string, EngineValue> {
  // 1 where no label counts: what is divided by it is 0 then, and stays so
  const divisor = (of: number): Tensor => Tensor.from('float32', Math.max(of, 1))
  const given: Record<string, EngineValue> = {
    ...values,
    ...feed.inputs,
    ...feed.labels?.inputs,
    [labelCountInput]: divisor(count),
    ...Object.fromEntries(Object.entries(counts).map(([column, of]) => [labelCountOf(column), divisor(of)])),
  }
  return Object.fromEntries(
    program.inputs.map(({ name }) => {
      const value = given[name]
      if (value !== undefined) return [name, value]
      const code = feed.labels === undefined ? 'data' : 'internal'
      throw new TrainerError(code, `The program needs "${name}", which the batch does not have.`)
    }),
  )
}
