import type { Engine, EngineValue } from '../engine/Engine'
import { isElementwise } from '../engine/fused/compile'
import type { FusedEngine, Segment } from '../engine/fused/FusedEngine'
import { ProgramCache } from '../engine/ProgramCache'
import { TrainerError } from '../errors'
import type { Graph } from '../onnx/types'
import type { OptimizedParameter, Optimizer } from '../optim/Optimizer'
import { updateGraph, updateScalars } from '../programs/update'
import { sizeOf, Tensor } from '../tensor'
import type { StoreOptions, UpdateNumbers } from './ParameterStore'
import type { Entry } from './sharedEntry'

/** Numbers of one update. */
interface Numbers extends Pick<UpdateNumbers, 'step' | 'rate'> {
  /** What the gradients' sums are multiplied by. */
  readonly scale: number
}

/** Updates all parameters. */
interface Update {
  run(numbers: Numbers): Promise<void>
  /** Frees the programs that it runs. */
  dispose(): Promise<void>
}

/** The update of all parameters: fused into one loop where it is elementwise. */
export function createUpdate(
  { optimizer, weightDecay }: Pick<StoreOptions, 'optimizer' | 'weightDecay'>,
  engine: Engine,
  fused: FusedEngine,
  entries: readonly Entry[],
): Update {
  const flat = fusedUpdate(optimizer, entries)
  if (flat === undefined) return updateThroughEngine(optimizer, weightDecay, engine, entries)
  // running means of rows that no longer have gradients would decay into subnormal numbers, which processors are slow
  // at
  const kernel = fused.compile(flat, { flush: entries[0]!.slots.map(({ name }) => `${name}_out`) })
  return {
    run({ step, rate, scale }) {
      const segments = entries.map(entry => segmentOf(entry, weightDecay(entry.name)))
      return fused.run(kernel, segments, { ...updateScalars(optimizer, step, rate), gradient_scale: scale })
    },
    async dispose() {}, // the kernel is the engine's
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
export function fusedUpdate(optimizer: Optimizer, parameters: readonly OptimizedParameter[]): Graph | undefined {
  const first = parameters[0]
  const isShaped = parameters.some(parameter =>
    Object.values(optimizer.init(parameter)).some(slot => sizeOf(slot.shape) !== sizeOf(parameter.shape)),
  )
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
  const programs = new ProgramCache(engine)
  const updateOf = async (entry: Entry, scalars: Readonly<Record<string, number>>): Promise<void> => {
    const graph = (): Graph => updateGraph(optimizer, entry, false)
    const program = await programs.get(`update of [${entry.shape.join()}]`, graph)
    const feeds = feedsOf(entry, { ...scalars, weight_decay: weightDecay(entry.name) })
    const outputs = await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, feeds[name]!])))
    entry.parameter.set((outputs.parameter_out as Tensor<'float32'>).data)
    for (const { name, data } of entry.slots) data.set((outputs[`${name}_out`] as Tensor<'float32'>).data)
  }
  return {
    async run({ step, rate, scale }) {
      const scalars = { ...updateScalars(optimizer, step, rate), gradient_scale: scale }
      for (const entry of entries) await updateOf(entry, scalars)
    },
    dispose: () => programs.dispose(),
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
