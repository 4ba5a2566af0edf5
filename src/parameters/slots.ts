import { TrainerError } from '../errors'
import type { Tensor } from '../tensor'

/** The name of a slot's tensor among those of a checkpoint; a slot's name has no dot. */
export function slotName(parameter: string, slot: string): string {
  return `${parameter}.${slot}`
}

/** A slot's values in a checkpoint. @throws TrainerError ('file') when they are missing or not as many as they should be. */
export function slotTensor(
  slots: ReadonlyMap<string, Tensor>,
  parameter: string,
  slot: string,
  size: number,
): Float32Array {
  const tensor = slots.get(slotName(parameter, slot))
  if (tensor === undefined) {
    throw new TrainerError('file', `The optimizer's state has no "${slot}" of ${parameter}.`, {
      fix: 'Where the parameter was frozen when the checkpoint was saved, freeze it before train(); otherwise start from scratch.',
    })
  }
  if (tensor.size !== size) {
    const found = `has ${tensor.size} values, but ${size} belong there`
    throw new TrainerError('file', `The optimizer's "${slot}" of ${parameter} ${found}.`)
  }
  return tensor.data as Float32Array
}
