import type { Engine, EngineValue, Program } from '../engine/Engine'
import { isElementwise } from '../engine/fused/compile'
import type { FusedEngine, Segment } from '../engine/fused/FusedEngine'
import { TrainerError } from '../errors'
import { encode } from '../onnx/encode'
import type { Graph } from '../onnx/types'
import type { Optimizer } from '../optim/Optimizer'
import { updateGraph, updateScalars } from '../programs/update'
import { Tensor } from '../tensor'
import type { StoreOptions, UpdateNumbers } from './ParameterStore'
import type { Entry } from './sharedEntry'

/** Updates all parameters. */
type Update = (numbers: UpdateNumbers) => Promise<void>

/** The update of all parameters: fused into one loop where it is elementwise. */
export function createUpdate(
  { optimizer, weightDecay }: Pick<StoreOptions, 'optimizer' | 'weightDecay'>,
  engine: Engine,
  fused: FusedEngine,
  entries: readonly Entry[],
): Update {
  const flat = flatUpdate(optimizer, entries)
  if (flat === undefined) return updateThroughEngine(optimizer, weightDecay, engine, entries)
  // running means of rows that no longer have gradients would decay into subnormal numbers, which processors are slow
  // at
  const kernel = fused.compile(flat, { flush: entries[0]!.slots.map(({ name }) => `${name}_out`) })
  return ({ step, rate, scale }) => {
    const segments = entries.map(entry => segmentOf(entry, weightDecay(entry.name)))
    return fused.run(kernel, segments, updateScalars(optimizer, step, rate, scale))
  }
}

function segmentOf({ parameter, gradient, slots, rows, zero }: Entry, decay: number): Segment {
  const slotInputs = slots.map(({ name, data }) => [name, data] as const)
  const slotOutputs = slots.map(({ name, data }) => [`${name}_out`, data] as const)
  return {
    inputs: { parameter, gradient, ...Object.fromEntries(slotInputs) },
    outputs: { parameter_out: parameter, ...Object.fromEntries(slotOutputs) },
    scalars: { weight_decay: decay },
    ...(rows !== undefined && { rows: { set: rows.set, zero } }),
  }
}

/** The update as one graph for a flat parameter of any length; undefined when slots or operators do not allow it. */
function flatUpdate(optimizer: Optimizer, entries: readonly Entry[]): Graph | undefined {
  const first = entries[0]
  const isShaped = entries.some(({ slots, parameter }) => slots.some(({ data }) => data.length !== parameter.length))
  if (isShaped || first === undefined) return undefined
  try {
    const graph = updateGraph(optimizer, first, true)
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
  return async ({ step, rate, scale }) => {
    const common = updateScalars(optimizer, step, rate, scale)
    for (const entry of entries) {
      const program = await programOf(entry)
      const feeds = feedsOf(entry, { ...common, weight_decay: weightDecay(entry.name) })
      const outputs = await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, feeds[name]!])))
      entry.parameter.set((outputs.parameter_out as Tensor<'float32'>).data)
      for (const { name, data } of entry.slots) data.set((outputs[`${name}_out`] as Tensor<'float32'>).data)
    }
  }
}

function feedsOf(
  { parameter, gradient, shape, slots }: Entry,
  scalars: Readonly<Record<string, number>>,
): Record<string, EngineValue> {
  const numbers = Object.entries(scalars).map(([name, value]) => [name, Tensor.from('float32', value)] as const)
  const kept = slots.map(({ name, data, shape: dims }) => [name, new Tensor('float32', data, dims)] as const)
  return {
    ...Object.fromEntries([...numbers, ...kept]),
    parameter: new Tensor('float32', parameter, shape),
    gradient: new Tensor('float32', gradient, shape),
  }
}
