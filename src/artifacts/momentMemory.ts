// an optimizer's slots ↔ the moments of a checkpoint
import { quoted, TrainerError } from '../errors'
import type { Optimizer } from '../optim/Optimizer'
import type { OptimizerMemory, OptimizerState as RunState } from '../optim/UpdateRule'
import { Tensor } from '../tensor'
import type { OptimizerState } from './Checkpoint'
import { type MomentName, momentNames } from './names'

/** The rate that ONNX Runtime Training begins with unless it is told another. */
const usualLearningRate = 1e-3

/** What a {@link MomentMemory} is made of. */
export interface MomentMemoryParts {
  /** What errors call the checkpoint. */
  readonly file: string
  /** As the checkpoint has it. */
  readonly state: OptimizerState | undefined
  /** The shapes of all parameters. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** The parameters that the files train: each has moments in a checkpoint that has any. */
  readonly trained: readonly string[]
  /** How many moments the optimizer's file names, whether or not its rule reads them. */
  readonly named: number
}

/**
 * Keeps the optimizer's state of a checkpoint: a slot is the moment of the same place in their order (`exp_avg` of AdamW
 * is `momentum0`, `exp_avg_sq` is `momentum1`).
 */
export class MomentMemory implements OptimizerMemory {
  readonly #parts: MomentMemoryParts
  #state: OptimizerState | undefined

  constructor(parts: MomentMemoryParts) {
    this.#parts = parts
    this.#state = parts.state
  }

  /** As a checkpoint has it; undefined before the first update. */
  get state(): OptimizerState | undefined {
    return this.#state
  }

  read(optimizer: Optimizer, trained: readonly string[]): RunState | undefined {
    if (this.#state === undefined) return undefined
    const { step, states } = this.#state
    const slots = new Map<string, Tensor>()
    for (const parameter of trained) {
      const moments = states.get(parameter)
      const names = this.#slotsOf(optimizer, parameter)
      const given = moments?.size ?? 0
      if (given !== Math.max(names.length, this.#parts.named)) throw this.#otherState(optimizer, parameter, given)
      names.forEach((slot, i) => slots.set(`${parameter}.${slot}`, moments!.get(momentNames[i]!)!))
    }
    return { step, slots }
  }

  write(optimizer: Optimizer, trained: readonly string[], { step, slots }: RunState): void {
    const states = new Map(this.#state?.states) // what is frozen this time keeps what it has, or begins at zero
    const moved = new Set(trained)
    for (const parameter of this.#parts.trained) {
      if (!moved.has(parameter) && states.has(parameter)) continue
      const found = this.#slotsOf(optimizer, parameter).map(slot => slots.get(`${parameter}.${slot}`))
      states.set(parameter, this.#momentsOf(optimizer, parameter, found))
    }
    this.#state = { step, initialLearningRate: this.#state?.initialLearningRate ?? usualLearningRate, states }
  }

  keep(): () => void {
    const state = this.#state // which write() leaves as it is
    return () => {
      this.#state = state
    }
  }

  /** @param slots those that there are; others begin at zero. */
  #momentsOf(optimizer: Optimizer, parameter: string, slots: readonly (Tensor | undefined)[]): Map<MomentName, Tensor> {
    const shape = this.#shapeOf(parameter)
    const isOther = (slot: Tensor | undefined): boolean => slot !== undefined && slot.dims.join() !== shape.join()
    if (slots.length > momentNames.length || slots.some(isOther)) {
      const problem = `A checkpoint of ONNX Runtime Training has no place for what ${optimizer.name} keeps of ${parameter}`
      throw new TrainerError('argument', `${problem}.`, { fix: 'Train with AdamW or SGD.' })
    }
    const named = momentNames.slice(0, Math.max(slots.length, this.#parts.named))
    return new Map(
      named.map((name, i) => {
        const own = slots[i]
        const tensor = own === undefined ? Tensor.zeros('float32', shape) : copied(own)
        return [name, tensor]
      }),
    )
  }

  #shapeOf(parameter: string): readonly number[] {
    return this.#parts.shapes.get(parameter)!
  }

  #slotsOf(optimizer: Optimizer, parameter: string): readonly string[] {
    return Object.keys(optimizer.init({ name: parameter, shape: this.#shapeOf(parameter) }))
  }

  #otherState(optimizer: Optimizer, parameter: string, given: number): TrainerError {
    const keeps = quoted(this.#slotsOf(optimizer, parameter)) || 'nothing'
    const found = `${given} moments of ${parameter}, but ${optimizer.name} keeps ${keeps}`
    return new TrainerError('file', `The optimizer's state in ${this.#parts.file} has ${found}.`, {
      fix: 'Train with the optimizer that the checkpoint was saved with.',
    })
  }
}

function copied({ data, dims }: Tensor): Tensor {
  return new Tensor('float32', Float32Array.from(data as Float32Array), dims)
}
