import type { FusedEngine, RowSet } from '../engine/fused/FusedEngine'
import type { Optimizer } from '../optim/Optimizer'
import type { GradientOutput, GradientRows } from '../programs/TrainingProgram'
import { sizeOf, type Tensor } from '../tensor'
import { copyInTurns, fillInTurns } from './copying'

/** What the optimizer keeps for a parameter. */
export interface SharedSlot {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A parameter that is trained, with everything that belongs to it, in shared memory. */
export interface Entry {
  readonly name: string
  readonly shape: readonly number[]
  readonly parameter: Float32Array
  /** The sum of its gradients. */
  readonly gradient: Float32Array
  /** The program's output that is its gradient; empty for a table whose gradient comes as rows. */
  readonly output: string
  readonly slots: readonly SharedSlot[]
  /** Slots that start at zero, and the gradient: what is zero in a table's row that was never read. */
  readonly zero: readonly string[]
  /** For a table whose gradient comes as rows. */
  readonly rows: TableRows | undefined
}

/** The rows of a table's gradient. */
export interface TableRows {
  readonly parts: readonly GradientRows[]
  /** The rows in use. */
  readonly set: RowSet
  /** Room beside the table by which rows from elsewhere are added: a large model does not fit into one memory. */
  readonly staging: Float32Array
}

/** Rows of a table's gradient that are added at a time where they lie in another memory than the table. */
const stagedRows = 256

/** Moves a parameter into shared memory, beside its gradient and slots. */
export async function createEntry(
  {
    name,
    weights,
    gradient: output,
    optimizer,
  }: {
    readonly name: string
    readonly weights: Tensor<'float32'>
    readonly gradient: GradientOutput
    readonly optimizer: Optimizer
  },
  fused: FusedEngine,
  turns: () => Promise<void>,
): Promise<Entry> {
  const shape = weights.dims
  const slots = Object.entries(optimizer.init({ name, shape }))
  const sizes = [weights.size, weights.size, ...slots.map(([, slot]) => sizeOf(slot.shape))]
  const isTable = output.kind === 'rows'
  const arrays = fused.arena.allocateGroup(isTable ? [...sizes, stagedRows * shape[1]!] : sizes)
  const [parameter, gradient, ...rest] = arrays as [Float32Array, Float32Array, ...Float32Array[]]
  await copyInTurns(parameter, weights.data, turns)
  // zeros that were never written to take no memory yet: written here, so that a run takes at once what it will take
  await fillInTurns(gradient, 0, turns)
  for (const [i, [, slot]] of slots.entries()) await fillInTurns(rest[i]!, slot.fill ?? 0, turns)
  return {
    name,
    shape,
    parameter,
    gradient,
    output: isTable ? '' : output.output,
    slots: slots.map(([slot, { shape: dims }], i) => ({ name: slot, shape: dims, data: rest[i]! })),
    zero: ['gradient', ...slots.filter(([, slot]) => (slot.fill ?? 0) === 0).map(([slot]) => slot)],
    rows: isTable
      ? { parts: output.parts, set: fused.createRowSet(shape[0]!, shape[1]!), staging: rest.at(-1)! }
      : undefined,
  }
}

/** Gives an entry's memory back. */
export function freeEntry({ parameter, gradient, slots, rows }: Entry, fused: FusedEngine): void {
  const arrays: ArrayBufferView[] = [parameter, gradient, ...slots.map(({ data }) => data)]
  if (rows !== undefined) arrays.push(rows.staging, rows.set.flags)
  for (const array of arrays) fused.arena.free(array)
}
