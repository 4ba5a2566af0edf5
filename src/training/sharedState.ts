import type { PreTrainedModel } from '../auto/PreTrainedModel'
import type { Engine, EngineValue, Program } from '../engine/Engine'
import type { FusedEngine, Segment } from '../engine/fused/FusedEngine'
import { isElementwise } from '../engine/fused/compile'
import { Scratch } from '../engine/fused/scratch'
import type { RowSet } from '../engine/fused/rows'
import { TrainerError } from '../errors'
import { encode } from '../onnx/encode'
import type { Optimizer } from '../optim/Optimizer'
import { sizeOf, Tensor } from '../tensor'
import type { TrainingGraph } from '../TrainingGraph'
import { updateGraph } from '../TrainingGraph'
import type { ParameterState, Slots, UpdateNumbers } from './ParameterState'
import { copyInTurns, fillInTurns, takeTurns } from '../turns'

/** What a state is made from. */
export interface StateOptions {
  readonly model: PreTrainedModel
  readonly graph: TrainingGraph
  readonly optimizer: Optimizer
  /** The weight decay of a parameter, by name. */
  readonly weightDecay: (name: string) => number
}

/** Updates all parameters. */
type Update = (numbers: UpdateNumbers) => Promise<void>

/** A parameter with everything that belongs to it, in shared memory. */
interface Entry {
  readonly name: string
  readonly shape: readonly number[]
  readonly parameter: Float32Array
  readonly gradient: Float32Array
  readonly slots: Readonly<Record<string, Float32Array>>
  readonly slotShapes: Readonly<Record<string, readonly number[]>>
  /** Slots that start at zero, and the gradient: what is zero in a table's row that was never read. */
  readonly zero: readonly string[]
  /** The rows in use, for a table whose gradient comes as rows. */
  readonly rows: RowSet | undefined
  /**
   * For such a table, room beside it by which rows from elsewhere are added: a large model does not fit into one
   * memory.
   */
  readonly staging: Float32Array | undefined
}

/**
 * Parameters in memory that ONNX Runtime and the worker threads share: gradients are written where the update reads
 * them, and nothing is copied. Elementwise updates run as one fused loop; others through ONNX Runtime.
 */
export async function createSharedState(
  options: StateOptions,
  engine: Engine,
  fused: FusedEngine,
): Promise<ParameterState> {
  const turns = takeTurns()
  const entries: Entry[] = []
  for (const { name, shape } of options.graph.parameters)
    entries.push(await createEntry(options, fused, name, shape, turns))
  const dense = entries.filter(entry => entry.rows === undefined)
  const tables = entries.filter(entry => entry.rows !== undefined)
  const rooms = new Scratch(fused.arena)
  const update = createUpdate(options, engine, fused, entries)
  /** Where further micro-batches write, before they are added: made when first needed. */
  let further: Map<string, Float32Array> | undefined
  const asTensor = (entry: Entry, data: Float32Array): Tensor => new Tensor('float32', data, entry.shape)
  const sums = (): (Float32Array | { array: Float32Array; rows: RowSet })[] =>
    entries.map(entry => (entry.rows === undefined ? entry.gradient : { array: entry.gradient, rows: entry.rows }))
  const clearRows = (): Promise<void> =>
    fused.clear(
      entries.flatMap(entry => (entry.rows === undefined ? [] : [{ array: entry.gradient, rows: entry.rows }])),
    )

  return {
    parameters: Object.fromEntries(entries.map(entry => [entry.name, options.model.parameter(entry.name)])),
    keep: [],
    targets(microBatch, tokens) {
      if (microBatch > 0)
        further ??= new Map(dense.map(entry => [entry.name, fused.arena.allocate(entry.gradient.length)]))
      const gradients = dense.map(entry => [
        `${entry.name}_grad`,
        asTensor(entry, microBatch === 0 ? entry.gradient : further!.get(entry.name)!),
      ])
      const rows = tables.map(({ name, shape: [, width] }) => [
        `${name}_rows`,
        new Tensor('float32', rooms.take(name, tokens * width!), [tokens, width!]),
      ])
      return Object.fromEntries([...gradients, ...rows])
    },
    async collect(outputs, microBatch) {
      if (microBatch > 0)
        await fused.accumulate(dense.map(entry => ({ sum: entry.gradient, term: further!.get(entry.name)! })))
      for (const { name, gradient, rows, staging } of tables) {
        const [index, values] = [
          outputs[`${name}_index`] as Tensor<'int32'>,
          outputs[`${name}_rows`] as Tensor<'float32'>,
        ]
        await fused.scatterRows({ array: gradient, rows: rows!, staging: staging! }, index.data, values.data)
      }
    },
    async norm() {
      return Math.sqrt((await fused.sumOfSquares(sums())).reduce((sum, square) => sum + square, 0))
    },
    async update(numbers) {
      await update(numbers)
      await clearRows()
    },
    forget: clearRows,
    async gradients() {
      return new Map(entries.map(entry => [entry.name, asTensor(entry, new Float32Array(entry.gradient))]))
    },
    async slots() {
      return new Map(
        entries.map(({ name, slots, slotShapes }) => [
          name,
          Object.fromEntries(
            Object.entries(slots).map(([slot, data]) => [slot, new Tensor('float32', data, slotShapes[slot]!)]),
          ),
        ]),
      )
    },
    async loadSlots(slots) {
      for (const entry of entries) await fillSlots(entry, slots, fused)
    },
    async loadParameters(weights) {
      for (const entry of entries) {
        const tensor = weights.get(entry.name)
        if (tensor !== undefined) await copyInTurns(entry.parameter, tensor.data as Float32Array, turns)
      }
    },
    async synchronise() {}, // the model's tensors are views of the very memory
    async dispose() {
      rooms.dispose()
      for (const entry of entries) {
        // the model keeps its weights, in memory of its own
        const own = new Float32Array(entry.parameter.length)
        await copyInTurns(own, entry.parameter, turns)
        options.model.parameters.set(entry.name, new Tensor('float32', own, entry.shape))
        const arrays = [
          entry.parameter,
          entry.gradient,
          entry.staging,
          further?.get(entry.name),
          ...Object.values(entry.slots),
        ]
        for (const array of arrays) if (array !== undefined) fused.arena.free(array)
        if (entry.rows !== undefined) fused.arena.free(entry.rows.flags)
      }
    },
  }
}

/** Rows of a table's gradient that are added at a time where they lie in another memory than the table. */
const stagedRows = 256

/** Moves a parameter of the model into shared memory, beside its gradient and slots. */
async function createEntry(
  { model, graph, optimizer }: StateOptions,
  fused: FusedEngine,
  name: string,
  shape: readonly number[],
  turns: () => Promise<void>,
): Promise<Entry> {
  const slots = Object.entries(optimizer.init({ name, shape }))
  const size = sizeOf(shape)
  const table = graph.rowGradients.includes(name)
  const sizes = [size, size, ...slots.map(([, slot]) => sizeOf(slot.shape))]
  const [parameter, gradient, ...rest] = fused.arena.allocateGroup(table ? [...sizes, stagedRows * shape[1]!] : sizes)
  const staging = table ? rest.pop() : undefined
  await copyInTurns(parameter!, model.parameter(name).data, turns)
  model.parameters.set(name, new Tensor('float32', parameter!, shape))
  // memory comes as zeros that are no memory yet: written to, so that a run takes from the beginning what it will take
  for (const [i, array] of [gradient!, ...rest].entries()) {
    await fillInTurns(array, slots[i - 1]?.[1].fill ?? 0, turns)
  }
  return {
    name,
    shape,
    parameter: parameter!,
    gradient: gradient!,
    slots: Object.fromEntries(slots.map(([slot], i) => [slot, rest[i]!])),
    slotShapes: Object.fromEntries(slots.map(([slot, { shape: dims }]) => [slot, dims])),
    zero: ['gradient', ...slots.filter(([, slot]) => (slot.fill ?? 0) === 0).map(([slot]) => slot)],
    rows: table ? fused.createRowSet(shape[0]!, shape[1]!) : undefined,
    staging,
  }
}

/** The update of all parameters: fused into one loop where it is elementwise. */
function createUpdate(
  { optimizer, weightDecay }: StateOptions,
  engine: Engine,
  fused: FusedEngine,
  entries: readonly Entry[],
): Update {
  const flat = flatUpdate(optimizer, entries)
  if (flat === undefined) return updateThroughEngine(optimizer, weightDecay, engine, entries)
  // running means of rows that no longer have gradients would decay into subnormal numbers, which processors are slow
  // at
  const kernel = fused.compile(flat, { flush: Object.keys(entries[0]!.slots).map(name => `${name}_out`) })
  return numbers => {
    const segments = entries.map((entry): Segment => ({
      inputs: { parameter: entry.parameter, gradient: entry.gradient, ...entry.slots },
      outputs: {
        parameter_out: entry.parameter,
        ...Object.fromEntries(Object.entries(entry.slots).map(([name, data]) => [`${name}_out`, data])),
      },
      scalars: { weight_decay: weightDecay(entry.name) },
      ...(entry.rows !== undefined && { rows: { set: entry.rows, zero: entry.zero } }),
    }))
    return fused.run(kernel, segments, scalarsOf(optimizer, numbers))
  }
}

/** The update as one graph for a flat parameter of any length; undefined when slots or operators do not allow it. */
function flatUpdate(optimizer: Optimizer, entries: readonly Entry[]): ReturnType<typeof updateGraph> | undefined {
  const shaped = entries.some(entry =>
    Object.values(entry.slotShapes).some(dims => sizeOf(dims) !== sizeOf(entry.shape)),
  )
  if (shaped || entries[0] === undefined) return undefined
  try {
    const graph = updateGraph(optimizer, entries[0], true)
    return isElementwise(graph) ? graph : undefined
  } catch (error) {
    // an update that needs the axes of its parameter cannot be written for a flat one
    if (error instanceof TrainerError && error.code === 'graph') return undefined
    throw error
  }
}

/**
 * Each parameter's update as a graph of its own shape, through ONNX Runtime; results are copied over when all inputs
 * have been read.
 */
function updateThroughEngine(
  optimizer: Optimizer,
  weightDecay: (name: string) => number,
  engine: Engine,
  entries: readonly Entry[],
): Update {
  const programs = new Map<string, Promise<Program>>()
  const programOf = (entry: Entry): Promise<Program> => {
    const key = entry.shape.join()
    const known =
      programs.get(key) ??
      engine.load(encode(updateGraph(optimizer, entry, false)).model, { name: `update of [${key}]` })
    programs.set(key, known)
    return known
  }
  return async numbers => {
    for (const entry of entries) {
      const scalars = { ...scalarsOf(optimizer, numbers), weight_decay: weightDecay(entry.name) }
      const program = await programOf(entry)
      const feeds: Record<string, EngineValue> = Object.fromEntries(
        Object.entries(scalars).map(([name, value]) => [name, Tensor.from('float32', value)]),
      )
      feeds.parameter = new Tensor('float32', entry.parameter, entry.shape)
      feeds.gradient = new Tensor('float32', entry.gradient, entry.shape)
      for (const [name, data] of Object.entries(entry.slots))
        feeds[name] = new Tensor('float32', data, entry.slotShapes[name]!)
      const outputs = await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, feeds[name]!])))
      entry.parameter.set((outputs.parameter_out as Tensor<'float32'>).data)
      for (const [name, data] of Object.entries(entry.slots))
        data.set((outputs[`${name}_out`] as Tensor<'float32'>).data)
    }
  }
}

/** The scalars of an update by name, weight decay aside. */
function scalarsOf(optimizer: Optimizer, { step, rate, scale }: UpdateNumbers): Record<string, number> {
  return { rate, gradient_scale: scale, ...optimizer.scalars?.(step, rate) }
}

async function fillSlots(entry: Entry, slots: Slots, fused: FusedEngine): Promise<void> {
  const given = slots.get(entry.name)
  for (const [name, data] of Object.entries(entry.slots)) {
    const tensor = given?.[name]
    if (tensor === undefined) {
      const fix = 'Resume with the optimizer that the checkpoint was made with, or start anew.'
      throw new TrainerError('file', `The optimizer's state has no "${name}" of ${entry.name}.`, { fix })
    }
    if (tensor.size !== data.length) {
      throw new TrainerError(
        'file',
        `The optimizer's "${name}" of ${entry.name} has ${tensor.size} values, but ${data.length} belong there.`,
      )
    }
    await copyInTurns(data, tensor.data as Float32Array)
  }
  // slots of other sizes are of updates that run over the whole table anyway
  const whole = Object.values(entry.slots).filter(slot => slot.length === entry.parameter.length)
  if (entry.rows !== undefined) await fused.markRows(entry.rows, whole)
}
