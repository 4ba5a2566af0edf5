import { type StoreMemory, storeMemory, type PlannedStore } from '../parameters/storeMemory'
import { Arena } from '../programs/arena'
import { planBuffers } from '../programs/bufferPlan'
import { liveBytes } from '../programs/liveness'
import type { TrainingProgram } from '../programs/TrainingProgram'
import { bytesPerElement, type Tensor } from '../tensor'
import type { LabelledFeed } from './LabelledFeed'

/** What training takes in memory, in bytes: of the device where it is done, or of the machine on the processor. */
export interface MemoryReport extends StoreMemory {
  /** Inputs, labels, masks of dropout and rows of tables' gradients, where the program reads and writes them. */
  readonly batch: number
  /** The most that the buffers of the training program take at once, in forward and backward pass. */
  readonly activations: number
  /** What ONNX Runtime's arena takes beside them: it gives a buffer more than its size, where that is what is free. */
  readonly unused: number
  /**
   * The weights as they were loaded: training copies them, and JavaScript frees these when it likes. On a device 0: they
   * are in the machine's memory.
   */
  readonly loaded: number
  readonly total: number
}

/** What a report needs beside the batches. */
export interface Planned extends Omit<PlannedStore, 'gradients'> {
  readonly programOf: (variant: string) => TrainingProgram
}

/**
 * What training on such feeds takes: by the sizes of everything, and the buffers that ONNX Runtime plans.
 * @param all in the order in which they come: lengths that differ leave holes in the arena. Those of other variants than
 * the first's are left out.
 */
export function memoryReport(all: readonly LabelledFeed[], planned: Planned): MemoryReport {
  const { variant } = all[0]!
  const feeds = all.filter(feed => feed.variant === variant)
  const { weights, resident, programOf } = planned
  const program = programOf(variant)
  const { gradients, graph } = program
  const elsewhere = [...gradients.values()].flatMap(output =>
    output.kind === 'dense' ? [output.output] : output.parts.map(({ values }) => values),
  )
  const arena = new Arena()
  const plan = planBuffers(graph)
  const peaks = feeds.map(({ lengths, inputs, labels }) => {
    const given = { lengths, inputs: { ...inputs, ...labels?.inputs } }
    return liveBytes(graph, plan, given, new Set(elsewhere), arena).peak
  })
  const activations = Math.max(...peaks)
  const parts = {
    ...storeMemory({ ...planned, gradients }),
    batch: batchBytes(program, feeds, weights),
    activations,
    unused: Math.max(0, (resident ? arena.reserved : arena.touched) - activations),
    loaded: resident ? 0 : sum([...gradients.keys()].map(name => tensorBytes(weights.get(name)!))),
  }
  return { ...parts, total: sum(Object.values(parts)) }
}

/** Each array is as large as the largest batch has it. */
function batchBytes(
  { gradients, dropout, graph }: TrainingProgram,
  feeds: readonly LabelledFeed[],
  weights: Planned['weights'],
): number {
  const given = new Set(graph.inputs.map(({ name }) => name))
  const arrays = new Map<string, number>()
  const add = (name: string, bytes: number): void => void arrays.set(name, Math.max(arrays.get(name) ?? 0, bytes))
  for (const { inputs, labels, lengths } of feeds) {
    for (const [name, tensor] of Object.entries({ ...inputs, ...labels?.inputs }))
      if (given.has(name)) add(name, tensorBytes(tensor))
    for (const { input, shape, dtype } of dropout) add(input, bytesPerElement(dtype) * sizeWith(shape, lengths))
    for (const [name, output] of gradients) {
      if (output.kind === 'dense') continue
      const width = weights.get(name)!.dims[1]!
      for (const { values, count } of output.parts) add(values, 4 * sizeWith([count, width], lengths))
    }
  }
  return sum([...arrays.values()])
}

function tensorBytes({ dtype, size }: Tensor): number {
  return size * bytesPerElement(dtype)
}

function sizeWith(shape: readonly (number | string)[], lengths: Readonly<Record<string, number>>): number {
  return shape.reduce<number>(
    (size, length) => size * (typeof length === 'number' ? length : (lengths[length] ?? 0)),
    1,
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

const lines: readonly (readonly [part: keyof MemoryReport, words: string])[] = [
  ['parameters', 'weights, where they are trained'],
  ['gradients', 'of all that is trained'],
  ['slots', 'what the optimizer keeps'],
  ['update', 'what an update takes for itself'],
  ['batch', 'inputs, labels, masks of dropout'],
  ['activations', 'values of the forward and backward pass'],
  ['unused', "left over in ONNX Runtime's arena"],
  ['loaded', 'weights as loaded, until they are freed'],
  ['total', 'without Node.js and ONNX Runtime themselves'],
]

/** A memory report as a table for people, in MiB, at most 80 columns wide. */
export function formatMemoryReport(report: MemoryReport): string {
  const rows = lines
    .filter(([part]) => report[part] > 0)
    .map(([part, words]) => ({ part, words, mib: mebibytes(report[part]) }))
  const width = Math.max(...rows.map(({ mib }) => mib.length))
  return rows.map(({ part, words, mib }) => `${part.padEnd(11)}  ${mib.padStart(width)} MiB  ${words}`).join('\n')
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}
