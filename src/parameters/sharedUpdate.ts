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

/** How parameters are updated. */
type UpdateOptions = Pick<StoreOptions, 'optimizer' | 'weightDecay' | 'rateFactor'>

/** Updates all parameters. */
interface Update {
  run(numbers: Numbers): Promise<void>
  /** Frees the programs that it runs. */
  dispose(): Promise<void>
}

/** The update of all parameters: fused into one loop where it is elementwise. */
export function createUpdate(
  options: UpdateOptions,
  engine: Engine,
  fused: FusedEngine,
  entries: readonly Entry[],
): Update {
  const flat = fusedUpdate(options.optimizer, entries)
  if (flat === undefined) return updateThroughEngine(options, engine, entries)
  // running means of rows that no longer have gradients would decay into subnormal numbers, which processors are slow
  // at
  const kernel = fused.compile(flat, { flush: entries[0]!.slots.map(({ name }) => `${name}_out`) })
  return {
    run(numbers) {
      const segments = entries.map(entry => segmentOf(entry, scalarsOf(entry, numbers, options)))
      return fused.run(kernel, segments)
    },
    async dispose() {}, // the kernel is the engine's
  }
}

/** The scalars of a parameter's update. */
function scalarsOf(
  { name }: Entry,
  { step, rate, scale }: Numbers,
  { optimizer, weightDecay, rateFactor = () => 1 }: UpdateOptions,
): Readonly<Record<string, number>> {
  const own = updateScalars(optimizer, step, rate * rateFactor(name))
  return { ...own, gradient_scale: scale, weight_decay: weightDecay(name) }
}

function segmentOf(
  { parameter, gradient, slots, rows, zero }: Entry,
  scalars: Readonly<Record<string, number>>,
): Segment {
  const slotInputs = slots.map(({ name, data }) => [name, data] as const)
  const slotOutputs = slots.map(({ name, data }) => [`${name}_out`, data] as const)
  return {
    inputs: { parameter, gradient, ...Object.fromEntries(slotInputs) },
    outputs: { parameter_out: parameter, ...Object.fromEntries(slotOutputs) },
    scalars,
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
function updateThroughEngine(options: UpdateOptions, engine: Engine, entries: readonly Entry[]): Update {
  const programs = new ProgramCache(engine)
  const updateOf = async (entry: Entry, scalars: Readonly<Record<string, number>>): Promise<void> => {
    const graph = (): Graph => updateGraph(options.optimizer, entry, false)
    const program = await programs.get(`update of [${entry.shape.join()}]`, graph)
    const feeds = feedsOf(entry, scalars)
    const outputs = await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, feeds[name]!])))
    entry.parameter.set((outputs.parameter_out as Tensor<'float32'>).data)
    for (const { name, data } of entry.slots) data.set((outputs[`${name}_out`] as Tensor<'float32'>).data)
  }
  return {
    async run(numbers) {
      for (const entry of entries) await updateOf(entry, scalarsOf(entry, numbers, options))
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
