import type { Optimizer } from '../optim/Optimizer'
import { Arena } from '../programs/arena'
import { liveBytes } from '../programs/liveness'
import type { TrainingProgram } from '../programs/TrainingProgram'
import { bytesPerElement, sizeOf, type Tensor } from '../tensor'
import type { LabelledFeed } from './LabelledFeed'

/** What training takes in memory, in bytes. */
export interface MemoryReport {
  /** All weights, frozen ones too. */
  readonly parameters: number
  readonly gradients: number
  /** What the optimizer keeps: two numbers for each trained weight with AdamW. */
  readonly slots: number
  /** The batch, the masks of dropout, and rows of tables' gradients. */
  readonly batch: number
  /** The most that the program's values take at once, in forward and backward pass. */
  readonly activations: number
  /** What ONNX Runtime's arena takes beside, which gives a value more than its size where that is what is free. */
  readonly unused: number
  /** The weights as they were loaded: training copies them, and JavaScript frees them when it likes. */
  readonly loaded: number
  readonly total: number
}

/** What a report needs beside. */
export interface Trained {
  readonly optimizer: Optimizer
  readonly weights: ReadonlyMap<string, Tensor>
}

/**
 * What training on such feeds takes: by the sizes of everything, and how long the graph's values live.
 * @param all in the order in which they come: lengths that differ leave holes in the arena. Those of other variants than
 * the first's are left out.
 */
export function memoryReport(
  all: readonly LabelledFeed[],
  programOf: (variant: string) => TrainingProgram,
  { optimizer, weights }: Trained,
): MemoryReport {
  const { variant } = all[0]!
  const feeds = all.filter(feed => feed.variant === variant)
  const program = programOf(variant)
  const { gradients: outputs, graph } = program
  const trained = [...outputs.keys()].map(name => weights.get(name)!)
  const slots = [...outputs.keys()].flatMap(name =>
    Object.values(optimizer.init({ name, shape: weights.get(name)!.dims })).map(({ shape }) => 4 * sizeOf(shape)),
  )
  const elsewhere = [...outputs.values()].flatMap(output =>
    output.kind === 'dense' ? [output.output] : output.parts.map(({ values }) => values),
  )
  const arena = new Arena()
  const live = feeds.map(({ lengths }) => liveBytes(graph, lengths, new Set(elsewhere), arena).peak)
  const activations = Math.max(...live)
  const parts = {
    parameters: sum([...weights.values()].map(bytesOf)),
    gradients: sum(trained.map(bytesOf)),
    slots: sum(slots),
    batch: Math.max(...feeds.map(feed => batchBytes(program, feed, weights))),
    activations,
    unused: Math.max(0, arena.touched - activations),
    loaded: sum(trained.map(bytesOf)),
  }
  return { ...parts, total: sum(Object.values(parts)) }
}

function batchBytes(
  { gradients, dropout, graph }: TrainingProgram,
  { inputs, labels, lengths }: LabelledFeed,
  weights: Trained['weights'],
): number {
  const given = new Set(graph.inputs.map(({ name }) => name))
  const tensors = Object.entries({ ...inputs, ...labels?.inputs }).filter(([name]) => given.has(name))
  const masks = dropout.map(({ shape }) => 4 * lengthsOf(shape, lengths))
  const rows = [...gradients].flatMap(([name, output]) =>
    output.kind === 'dense'
      ? []
      : output.parts.map(({ count }) => 4 * lengthsOf([count, weights.get(name)!.dims[1]!], lengths)),
  )
  return sum([...tensors.map(([, tensor]) => bytesOf(tensor)), ...masks, ...rows])
}

function bytesOf({ dtype, size }: Tensor): number {
  return size * bytesPerElement(dtype)
}

function lengthsOf(shape: readonly (number | string)[], lengths: Readonly<Record<string, number>>): number {
  return shape.reduce<number>(
    (size, length) => size * (typeof length === 'number' ? length : (lengths[length] ?? 0)),
    1,
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
