// a metric's batches, kept until it is computed
import { TrainerError } from '../errors'
import { checkOptions, refuseArguments } from '../options'

/** A metric's rows, as callers give them. */
export interface GivenRows {
  readonly predictions: unknown
  readonly references: unknown
}

/** What is done with a metric's batches. */
export interface Gathering<Batch, Result> {
  readonly name: string
  /** The options of `compute`. */
  readonly options: readonly string[]
  /** Another name that the predictions may have. */
  readonly alias?: string
  /** @throws TrainerError for a value that an option cannot have. */
  checkOptions(given: object): void
  /**
   * A batch as it is kept, undefined without rows.
   * @param first the first of the batches that are kept already.
   */
  read(rows: GivenRows, first: Batch | undefined): Batch | undefined
  compute(batches: readonly [Batch, ...Batch[]], options: object): Result
}

/** A metric that gathers batches: `compute` is over all of them, and forgets them unless it fails. */
export interface GatheringMetric<Result> {
  readonly name: string
  compute(input?: object, ...extra: readonly unknown[]): Result
  addBatch(input: object, ...extra: readonly unknown[]): void
}

/** The metric of a gathering. */
export function gather<Batch, Result>(gathering: Gathering<Batch, Result>): GatheringMetric<Result> {
  const { name, alias } = gathering
  const names = ['predictions', 'references', ...(alias === undefined ? [] : [alias])]
  let batches: Batch[] = []
  const addBatch = (input: object, ...extra: readonly unknown[]): void => {
    refuseArguments(extra, 'addBatch()')
    checkOptions(input, names, `addBatch() of ${name}`)
    const rows = rowsOf(gathering, 'addBatch', input)
    if (rows === undefined)
      throw new TrainerError('argument', `addBatch() of ${name} was given nothing.`, {
        fix: 'Write addBatch({ predictions, references }).',
      })
    const batch = gathering.read(rows, batches[0])
    if (batch !== undefined) batches.push(batch)
  }
  const compute = (input: object = {}, ...extra: readonly unknown[]): Result => {
    refuseArguments(extra, 'compute()')
    checkOptions(input, [...names, ...gathering.options], `compute() of ${name}`)
    gathering.checkOptions(input)
    const rows = rowsOf(gathering, 'compute', input)
    const last = rows && gathering.read(rows, batches[0])
    const all = last === undefined ? batches : [...batches, last]
    if (!isFilled(all))
      throw new TrainerError('data', `${name}: there are no rows.`, {
        fix: 'Call addBatch first, or give compute predictions and references.',
      })
    const result = gathering.compute(all, input)
    batches = [] // not before: after an error the same rows can be computed with other options
    return result
  }
  return { name, compute, addBatch }
}

/** @throws TrainerError for predictions without references, or the other way round. */
function rowsOf(
  { name, alias }: Pick<Gathering<unknown, unknown>, 'name' | 'alias'>,
  method: string,
  input: object | undefined,
): GivenRows | undefined {
  const given = (input ?? {}) as Readonly<Record<string, unknown>>
  const predictions = given['predictions'] ?? (alias === undefined ? undefined : given[alias])
  const references = given['references']
  if (predictions !== undefined && references !== undefined) return { predictions, references }
  if (predictions === undefined && references === undefined) return undefined
  const one = predictions === undefined ? 'references' : 'predictions'
  throw new TrainerError(
    'argument',
    `${name}: ${method} takes predictions and references together, but only ${one} were given.`,
  )
}

function isFilled<Batch>(batches: readonly Batch[]): batches is readonly [Batch, ...Batch[]] {
  return batches.length > 0
}
