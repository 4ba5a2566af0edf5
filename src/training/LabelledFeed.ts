import type { EngineValue, EngineValues, Program } from '../engine/Engine'
import { TrainerError } from '../errors'
import type { Feed, RowName } from '../feeds/FeedLayout'
import type { LabelFeed } from '../heads/Head'
import { labelCountInput, labelCountOf } from '../programs/loss'
import { largestGiven } from '../programs/wholeNumbers'
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
    program.inputs.map(({ name, dtype }) => {
      const value = given[name]
      if (value !== undefined) return [name, dtype === 'int32' ? asInt32(value, name) : value]
      const code = feed.labels === undefined ? 'data' : 'internal'
      throw new TrainerError(code, `The program needs "${name}", which the batch does not have.`)
    }),
  )
}

/** A program of a device takes int32 where the graph has int64 (`programs/forDevice`). */
function asInt32(value: EngineValue, name: string): EngineValue {
  if (!(value instanceof Tensor) || value.dtype !== 'int64') return value
  const { data, dims } = value as Tensor<'int64'>
  const numbers = Int32Array.from(data, Number)
  const at = data.findIndex(number => number > largestGiven || number < -largestGiven)
  if (at < 0) return new Tensor('int32', numbers, dims)
  throw new TrainerError(
    'data',
    `"${name}" has the number ${data[at]}, but on a device whole numbers of int64 go up to ${largestGiven}.`,
    { fix: "Train on device 'cpu', or give such numbers as float32 to a graph that takes them so." },
  )
}
