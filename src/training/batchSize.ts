import type { TrainableModel } from '../auto/TrainableModel'
import type { CallbackHandler } from '../callbacks/CallbackHandler'
import type { TrainerControl } from '../callbacks/TrainerControl'
import { collectGarbage, isOutOfMemory } from '../engine/outOfMemory'
import { OutOfMemoryError } from '../errors'
import { log } from '../logging'
import { Tensor } from '../tensor'

/** What is tried with batches of some size, and what is done before a smaller one is. */
export interface Attempts<Result> {
  /** Rows of the batches that are tried first. */
  readonly size: number
  attempt(size: number): Promise<Result>
  /** Brings back what was there before the attempt that has failed. */
  startOver(): Promise<void>
}

/**
 * Tries smaller and smaller batches until memory does not run out: accelerate's `find_executable_batch_size`, where a
 * size follows from the last by 0.9, rounded down.
 * @throws OutOfMemoryError when one row is too much; what else an attempt throws.
 */
export async function findExecutableBatchSize<Result>({
  size: first,
  attempt,
  startOver,
}: Attempts<Result>): Promise<Result> {
  for (let size = first; ; size = smallerBatchSize(size)) {
    try {
      return await attempt(size)
    } catch (error) {
      if (!isOutOfMemory(error)) throw error
      const smaller = smallerBatchSize(size)
      if (smaller === 0) throw noneFits(first, error)
      log(
        'warning',
        `Memory ran out with perDeviceTrainBatchSize ${size}: autoFindBatchSize starts training over with ${smaller}.`,
      )
    }
    await startOver() // outside of the catch, so that nothing holds the error and what it has of the attempt
    collectGarbage()
  }
}

function smallerBatchSize(size: number): number {
  return Math.trunc(size * 0.9)
}

function noneFits(first: number, error: Error): OutOfMemoryError {
  const problem = error instanceof OutOfMemoryError ? error.problem : error.message
  return new OutOfMemoryError(`No batch size from ${first} down to 1 fits into memory. ${problem}`, { cause: error })
}

/**
 * Takes note of all that training changes, in a model that no run trains now: its weights, the optimizer's state that it
 * keeps, the counts of callbacks.
 *
 * Trained weights are not copied: a run moves them to memory of its own and leaves these arrays as they are.
 * @returns what brings them back, once the run has ended, as often as it is called.
 */
export function startingPoint(model: TrainableModel, callbacks: CallbackHandler, control: TrainerControl): () => void {
  const weights = new Map(model.parameters)
  const statistics = model.definition.parameters.filter(({ isStatistic }) => isStatistic === true)
  const copies = new Map(statistics.map(({ name }) => [name, Float32Array.from(weights.get(name)!.data)]))
  const bringBackMoments = model.optimizerMemory?.keep()
  const states = callbacks.exportStates(control)
  return () => {
    for (const [name, tensor] of weights) {
      const copy = copies.get(name)
      const data = copy === undefined ? undefined : Float32Array.from(copy)
      model.parameters.set(name, data === undefined ? tensor : new Tensor('float32', data, tensor.dims))
    }
    bringBackMoments?.()
    callbacks.restoreStates(states)
  }
}
