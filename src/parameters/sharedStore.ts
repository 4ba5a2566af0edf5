import type { Engine } from '../engine/Engine'
import type { FusedEngine } from '../engine/fused/FusedEngine'
import { Scratch } from '../engine/fused/scratch'
import type { Feed } from '../feeds/FeedLayout'
import type { Dimension } from '../onnx/types'
import { gradientScale, isFiniteUpdate, meansOf, type UpdateSums } from '../optim/updateSums'
import type { ProcessGroup } from '../processes/ProcessGroup'
import { Tensor } from '../tensor'
import { takeTurns } from '../turns'
import { copyInTurns } from './copying'
import type { ParameterStore, StoreOptions, UpdateNumbers } from './ParameterStore'
import { createEntry, type Entry, freeEntry } from './sharedEntry'
import { reduceRows } from './sharedRows'
import { shareFirst } from './statistics'
import { createUpdate } from './sharedUpdate'
import { slotName, slotTensor } from './slots'

/**
 * Parameters in memory that ONNX Runtime and the worker threads share: gradients are written where the update reads
 * them, and nothing is copied. Elementwise updates run as one fused loop; others through ONNX Runtime.
 */
export async function createSharedStore(
  options: StoreOptions,
  engine: Engine,
  fused: FusedEngine,
): Promise<ParameterStore> {
  const turns = takeTurns()
  const entries: Entry[] = []
  for (const [name, gradient] of options.gradients) {
    const weights = options.weights.get(name)!
    entries.push(await createEntry({ name, weights, gradient, optimizer: options.optimizer }, fused, turns))
  }
  return new SharedStore(options, engine, fused, entries)
}

/** A parameter whose gradient comes as rows. */
type Table = Entry & { readonly rows: NonNullable<Entry['rows']> }

class SharedStore implements ParameterStore {
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly #fused: FusedEngine
  readonly #entries: readonly Entry[]
  readonly #dense: readonly Entry[]
  readonly #tables: readonly Table[]
  /** What the program gives for a statistic, and where that is. */
  readonly #statistics: readonly { readonly output: string; readonly data: Float32Array }[]
  readonly #loss: StoreOptions['loss']
  /** The sums of the losses, and of what they are divided by. */
  readonly #lossAndCount = Float64Array.of(0, 0)
  /** Where the rows of tables come in. */
  readonly #scratch: Scratch
  readonly #update: ReturnType<typeof createUpdate>
  /** Where further micro-batches write, before they are added: made when first needed. */
  #further: ReadonlyMap<string, Float32Array> | undefined

  constructor(options: StoreOptions, engine: Engine, fused: FusedEngine, entries: readonly Entry[]) {
    this.#fused = fused
    this.#loss = options.loss
    this.#entries = entries
    this.#dense = entries.filter(entry => entry.rows === undefined)
    this.#tables = entries.filter((entry): entry is Table => entry.rows !== undefined)
    this.#scratch = new Scratch(fused.arena)
    this.#update = createUpdate(options, engine, fused, entries)
    const moved = entries.map(({ name, parameter, shape }) => [name, new Tensor('float32', parameter, shape)] as const)
    this.inputs = { ...Object.fromEntries(options.weights), ...Object.fromEntries(moved) }
    this.#statistics = [...(options.moved ?? [])].map(([name, output]) => ({
      output,
      data: this.inputs[name]!.data as Float32Array,
    }))
  }

  targets({ lengths }: Feed, microBatch: number): { into: Record<string, Tensor>; keep: [] } {
    const into: Record<string, Tensor> = {}
    for (const entry of this.#dense) {
      const data = microBatch === 0 ? entry.gradient : this.#furtherOf(entry)
      into[entry.output] = new Tensor('float32', data, entry.shape)
    }
    for (const { name, rows, shape } of this.#tables) {
      rows.parts.forEach((part, i) => {
        const count = lengthOf(part.count, lengths)
        if (count === undefined) return // the run returns it
        const dims = [count, shape[1]!]
        into[part.values] = new Tensor('float32', this.#scratch.take(`${name}.${i}`, count * shape[1]!), dims)
      })
    }
    return { into, keep: [] }
  }

  async add(outputs: Readonly<Record<string, Tensor>>, microBatch: number): Promise<void> {
    for (const { output, data } of this.#statistics) data.set(outputs[output]!.data as Float32Array)
    if (microBatch === 0) this.#lossAndCount.fill(0)
    ;[this.#loss.sum, this.#loss.count].forEach((output, i) => {
      this.#lossAndCount[i]! += Number(outputs[output]!.data[0])
    })
    if (microBatch > 0) {
      await this.#fused.accumulate(this.#dense.map(entry => ({ sum: entry.gradient, term: this.#furtherOf(entry) })))
    }
    for (const { rows, gradient, shape } of this.#tables) {
      for (const part of rows.parts) {
        const values = outputs[part.values] as Tensor<'float32'>
        const index = rowIndex(outputs[part.index]!, shape[0]!)
        await this.#fused.scatterRows({ array: gradient, rows: rows.set, staging: rows.staging }, index, values.data)
      }
    }
  }

  async reduce(group: ProcessGroup): Promise<void> {
    if (group.size === 1) return
    await group.allReduce([this.#lossAndCount])
    await group.allReduce(this.#dense.map(({ gradient }) => gradient))
    for (const { gradient, rows } of this.#tables) await reduceRows(group, gradient, rows.set)
    await shareFirst(
      group,
      this.#statistics.map(({ data }) => data),
    )
  }

  async sums(): Promise<UpdateSums> {
    const gradients = this.#entries.map(({ gradient, rows }) =>
      rows === undefined ? gradient : { array: gradient, rows: rows.set },
    )
    const squaredNorm = (await this.#fused.sumOfSquares(gradients)).reduce((sum, square) => sum + square, 0)
    const [loss, count] = this.#lossAndCount as unknown as [number, number]
    return { loss, count, squaredNorm }
  }

  async update({ lossScale, maxNorm = 0, onlyFinite = true, ...numbers }: UpdateNumbers): Promise<UpdateSums> {
    const sums = await this.sums()
    const means = meansOf(sums, lossScale)
    if (!onlyFinite || isFiniteUpdate(means))
      await this.#update.run({ ...numbers, scale: gradientScale(means, maxNorm) })
    await this.discard()
    return sums
  }

  /** Dense gradients are written over by the next micro-batch; rows are added up, and so have to be cleared. */
  discard(): Promise<void> {
    return this.#fused.clear(this.#tables.map(({ gradient, rows }) => ({ array: gradient, rows: rows.set })))
  }

  async *read(content: Parameters<ParameterStore['read']>[0]): AsyncGenerator<readonly [string, Tensor]> {
    if (content === 'parameters') yield* Object.entries(this.inputs)
    for (const { name, shape, gradient, slots } of content === 'parameters' ? [] : this.#entries) {
      if (content === 'gradients') yield [name, new Tensor('float32', gradient, shape)]
      else for (const slot of slots) yield [slotName(name, slot.name), new Tensor('float32', slot.data, slot.shape)]
    }
  }

  async write(content: 'parameters' | 'slots', tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    const turns = takeTurns()
    if (content === 'parameters') {
      for (const [name, { data }] of Object.entries(this.inputs)) {
        const given = tensors.get(name)
        if (given !== undefined) await copyInTurns(data as Float32Array, given.data as Float32Array, turns)
      }
      return
    }
    for (const { name, slots, rows, parameter } of this.#entries) {
      for (const { name: slot, data } of slots)
        await copyInTurns(data, slotTensor(tensors, name, slot, data.length), turns)
      // slots of other sizes are of updates that run over the whole table anyway
      const whole = slots.filter(({ data }) => data.length === parameter.length).map(({ data }) => data)
      if (rows !== undefined) await this.#fused.markRows(rows.set, whole)
    }
  }

  async dispose(): Promise<void> {
    await this.#update.dispose()
    this.#scratch.dispose()
    for (const array of this.#further?.values() ?? []) this.#fused.arena.free(array)
    for (const entry of this.#entries) freeEntry(entry, this.#fused)
  }

  #furtherOf({ name }: Entry): Float32Array {
    this.#further ??= new Map(
      this.#dense.map(entry => [entry.name, this.#fused.arena.allocate(entry.gradient.length)] as const),
    )
    return this.#further.get(name)!
  }
}

/** What a length is in a feed, if it is known before the program runs. */
function lengthOf(length: Dimension, lengths: Feed['lengths']): number | undefined {
  return typeof length === 'number' ? length : lengths[length]
}

/** Rows of a table as int32, counted from the front. */
function rowIndex({ data, dtype }: Tensor, rows: number): Int32Array {
  if (dtype === 'int32' && (data as Int32Array).every(row => row >= 0)) return data as Int32Array
  return Int32Array.from(data as ArrayLike<number | bigint>, row => (row < 0 ? Number(row) + rows : Number(row)))
}
