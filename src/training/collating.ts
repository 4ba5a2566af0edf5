// rows → the batch that a collator makes of them, checked
import { messageOf, quoted, TrainerError } from '../errors'
import { type Batch, Tensor } from '../tensor'
import type { DataCollator } from './options'

type Row = Readonly<Record<string, unknown>>

/** What collating needs to know. */
interface CollatingParts {
  readonly collator: DataCollator
  /** The columns that the model takes beside labels. */
  readonly inputNames: readonly string[]
  /** The columns that rows no longer have, since the model does not take them. */
  readonly dropped: readonly string[]
}

/**
 * What the collator makes of rows.
 * @throws TrainerError (`data`) for what is not a batch; where the collator reads columns that were left out and fails,
 * or returns nothing that the model takes, with their names.
 */
export async function collated(
  { collator, inputNames, dropped }: CollatingParts,
  ...given: Parameters<DataCollator>
): Promise<Batch> {
  const outcome = await tried(async () => {
    const batch: Batch = await collator(...given)
    checkBatch(batch)
    return batch
  })
  const hasInputs = 'value' in outcome && inputNames.some(name => outcome.value[name] !== undefined)
  const missed = hasInputs || dropped.length === 0 ? [] : await missedColumns(collator, dropped, given)
  if (missed.length > 0) throw missing(missed, outcome)
  if ('value' in outcome) return outcome.value
  throw outcome.failure
}

type Outcome<T> = { readonly value: T } | { readonly failure: unknown }

async function tried<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await attempt() }
  } catch (failure) {
    return { failure }
  }
}

function missing(missed: readonly string[], outcome: Outcome<Batch>): TrainerError {
  const failed = 'failure' in outcome
  const then = failed
    ? `failed: ${messageOf(outcome.failure)}`
    : `returned no input of the model, but ${quoted(Object.keys(outcome.value)) || 'nothing'}.`
  return new TrainerError(
    'data',
    `The data collator reads ${quoted(missed)}, which was removed, since the model does not take it, and ${then}`,
    {
      fix: 'Set removeUnusedColumns: false, and the collator gets all columns.',
      ...(failed && { cause: outcome.failure }),
    },
  )
}

/** The columns that were left out and that the collator reads, when it is called once more with rows that take note. */
async function missedColumns(
  collator: DataCollator,
  dropped: readonly string[],
  [rows, ...rest]: Parameters<DataCollator>,
): Promise<string[]> {
  const read = new Set<string | symbol>()
  const get = (row: Row, name: string | symbol): unknown => {
    read.add(name)
    return Reflect.get(row, name)
  }
  const watched = rows.map(row => new Proxy(row, { get }))
  await tried(async () => collator(watched, ...rest))
  return dropped.filter(name => read.has(name))
}

/** A custom collator may return anything. */
function checkBatch(batch: unknown): void {
  const wrong =
    typeof batch !== 'object' || batch === null
      ? String(batch)
      : Object.entries(batch).find(([, value]) => !(value instanceof Tensor))?.[0]
  if (wrong === undefined) return
  const what =
    typeof batch === 'object' && batch !== null
      ? `"${wrong}" of what the data collator returned is not a Tensor`
      : `The data collator returned ${wrong}`
  throw new TrainerError('data', `${what}.`, {
    fix: "Return named tensors: { input_ids: Tensor.from('int32', rows), … }.",
  })
}
