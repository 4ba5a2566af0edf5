import type { EngineValue, EngineValues, Program } from '../engine/Engine'
import { TrainerError } from '../errors'
import type { Feed, RowName } from '../feeds/FeedLayout'
import type { LabelFeed } from '../heads/Head'
import { labelCountInput } from '../programs/loss'
import { Tensor } from '../tensor'

/** A batch with its labels as the inputs of a program. */
export interface LabelledFeed extends Feed {
  readonly labels: LabelFeed | undefined
  /** That of the batch's main input. */
  readonly shape: readonly number[]
  /** Whether nothing is wanted of it but its loss. */
  readonly lossOnly: boolean
  /** What its rows are called in messages. */
  readonly rowName: RowName
}

/** What a program asks for, out of what there is. */
export function inputsOf(
  program: Program,
  feed: LabelledFeed,
  count: number,
  values: EngineValues,
): Record<string, EngineValue> {
  const given: Record<string, EngineValue> = {
    ...values,
    ...feed.inputs,
    ...feed.labels?.inputs,
    // 1 where no label counts: what is divided by it is 0 then, and stays so
    [labelCountInput]: Tensor.from('float32', Math.max(count, 1)),
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
