import { Arena } from '../programs/arena'
import { planBuffers } from '../programs/bufferPlan'
import { liveBytes } from '../programs/liveness'
import { updateGraph } from '../programs/update'
import { bytesPerElement, sizeOf, type Tensor } from '../tensor'
import type { StoreOptions } from './ParameterStore'
import { fusedUpdate } from './sharedUpdate'

/** What a store is asked about, before there is one. */
export interface PlannedStore extends Pick<StoreOptions, 'weights' | 'gradients' | 'optimizer'> {
  /** Whether an update is made of more than one micro-batch. */
  readonly accumulates: boolean
  /** Whether it is on a device. */
  readonly resident: boolean
}

/** What a store takes, in bytes. */
export interface StoreMemory {
  readonly parameters: number
  /** With accumulation, twice for those that come whole: the sum, and what is added to it next. */
  readonly gradients: number
  readonly slots: number
  /** What an update takes for itself that runs through ONNX Runtime. */
  readonly update: number
}

/** What a store will take. */
export function storeMemory({ weights, gradients, optimizer, accumulates, resident }: PlannedStore): StoreMemory {
  const trained = [...gradients].map(([name, output]) => ({ name, shape: weights.get(name)!.dims, output }))
  const whole = accumulates ? trained.filter(({ output }) => output.kind === 'dense') : []
  return {
    parameters: sum([...weights.values()].map(tensorBytes)),
    gradients: sum([...trained, ...whole].map(({ shape }) => 4 * sizeOf(shape))),
    slots: sum(
      trained.flatMap(parameter => Object.values(optimizer.init(parameter)).map(({ shape }) => 4 * sizeOf(shape))),
    ),
    update: resident || fusedUpdate(optimizer, trained) !== undefined ? 0 : updateBytes(optimizer, trained),
  }
}

/** Parameters of one shape are updated by one program, which keeps what it once took. */
function updateBytes(
  optimizer: PlannedStore['optimizer'],
  trained: readonly { readonly name: string; readonly shape: readonly number[] }[],
): number {
  const byShape = new Map(trained.map(parameter => [parameter.shape.join(), parameter]))
  return sum(
    [...byShape.values()].map(parameter => {
      const graph = updateGraph(optimizer, parameter, false)
      const arena = new Arena()
      liveBytes(graph, planBuffers(graph), { lengths: {}, inputs: {} }, new Set(), arena)
      return arena.touched
    }),
  )
}

function tensorBytes({ dtype, size }: Tensor): number {
  return size * bytesPerElement(dtype)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
