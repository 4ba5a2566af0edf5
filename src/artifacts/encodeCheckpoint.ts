import { TrainerError } from '../errors'
import { bytesOf } from '../files/bytes'
import { elementTypes } from '../onnx/wire'
import type { Tensor } from '../tensor'
import type { Checkpoint, OptimizerState } from './Checkpoint'
import {
  checkpointIdentifier,
  checkpointSchema,
  checkpointVersion,
  groupName,
  type TensorSchema,
} from './checkpointSchema'
import type { TableOf } from './flatBufferSchema'
import { writeFlatBuffer } from './writeFlatBuffer'

type Root = TableOf<typeof checkpointSchema>

/** Says of a tensor's values where they are in the file beside, or undefined for values in the checkpoint itself. */
export type Placing = (values: Uint8Array) => number | undefined

/**
 * The bytes of a checkpoint as ONNX Runtime Training 1.19.2 reads and writes it: parameters, moments and properties in
 * the order of their names.
 * @param placeOf where values are in the file beside; by default all are in these bytes
 * @throws TrainerError (`argument`) for a checkpoint that the format cannot hold
 */
export function encodeCheckpoint(checkpoint: Checkpoint, placeOf: Placing = () => undefined): Uint8Array {
  checkCheckpoint(checkpoint)
  const tensors = new TensorEncoder(checkpoint.isNominal, placeOf)
  const trained = tensors.encode(checkpoint.trained)
  const frozen = tensors.encode(checkpoint.frozen)
  const groups = checkpoint.optimizer === undefined ? undefined : [groupOf(checkpoint.optimizer, tensors)]
  const root: Root = {
    version: checkpointVersion,
    module_state: {
      requires_grad_params: trained,
      frozen_params: frozen,
      is_nominal_state: checkpoint.isNominal ? 1 : undefined,
      has_external_data: tensors.isExternal ? 1 : undefined,
    },
    optimizer_groups: groups,
    property_bag: bagOf(checkpoint.properties),
  }
  if (tensors.size > most)
    throw new TrainerError('argument', `The checkpoint takes ${tensors.size} bytes; the format ends at ${most}.`, {
      fix: 'Save it with writeCheckpointFile, which writes values into a file of their own.',
    })
  return writeFlatBuffer(checkpointSchema, root, checkpointIdentifier, tensors.size)
}

/** Offsets are counted in 31 bits. */
const most = 2 ** 31 - 1

class TensorEncoder {
  readonly #isNominal: boolean
  readonly #placeOf: Placing
  /** About as many bytes as the checkpoint will take, never fewer. */
  size = 4096
  isExternal = false

  constructor(isNominal: boolean, placeOf: Placing) {
    this.#isNominal = isNominal
    this.#placeOf = placeOf
  }

  encode(tensors: ReadonlyMap<string, Tensor>): TableOf<TensorSchema>[] {
    return sortedByName(tensors).map(([name, tensor]) => this.#encode(name, tensor))
  }

  #encode(name: string, { dtype, dims, data }: Tensor): TableOf<TensorSchema> {
    this.size += 256 + 8 * name.length + 8 * dims.length
    const head = { name, data_type: elementTypes[dtype] }
    if (this.#isNominal) return { ...head, dims: [], raw_data: new Uint8Array() }
    const shaped = { ...head, dims: dims.map(BigInt) }
    const values = bytesOf(data)
    const place = this.#placeOf(values)
    this.isExternal ||= place !== undefined
    if (place !== undefined) return { ...shaped, external_data_offset: BigInt(place) }
    this.size += values.length
    return { ...shaped, raw_data: values }
  }
}

type Group = NonNullable<Root['optimizer_groups']>[number]

function groupOf({ step, initialLearningRate, states }: OptimizerState, tensors: TensorEncoder): Group {
  return {
    group_name: groupName,
    step: BigInt(step),
    initial_learning_rate: initialLearningRate,
    optimizer_states: sortedByName(states).map(([name, moments]) => ({
      param_name: name,
      momentums: tensors.encode(moments),
    })),
  }
}

function bagOf(properties: Checkpoint['properties']): Root['property_bag'] {
  if (properties.size === 0) return undefined
  const ints: { name: string; value: bigint }[] = []
  const floats: { name: string; value: number }[] = []
  const strings: { name: string; value: string }[] = []
  for (const [name, value] of sortedByName(properties)) {
    if (typeof value === 'bigint') ints.push({ name, value })
    else if (typeof value === 'number') floats.push({ name, value })
    else strings.push({ name, value })
  }
  return { ints, floats, strings }
}

/** In the order of their UTF-8 bytes, which is the official writer's; JavaScript's own differs beyond U+FFFF. */
function sortedByName<T>(named: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...named].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function checkCheckpoint({ trained, frozen, optimizer, properties }: Checkpoint): void {
  for (const name of [...trained.keys(), ...frozen.keys(), ...properties.keys()])
    if (name === '' || name.includes('\0') || /[\uD800-\uDFFF]/u.test(name))
      throw refused(`${JSON.stringify(name)} cannot be a name`)
  for (const name of frozen.keys()) if (trained.has(name)) throw refused(`"${name}" is both trained and frozen`)
  for (const [name, value] of properties)
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
      throw refused(`the property "${name}" is ${value}, which has more than 64 bits`)
  if (optimizer === undefined) return
  if (!Number.isSafeInteger(optimizer.step) || optimizer.step < 0) throw refused(`its step is ${optimizer.step}`)
  for (const name of optimizer.states.keys())
    if (!trained.has(name)) throw refused(`it has moments of "${name}", which is no trained parameter`)
}

function refused(what: string): TrainerError {
  return new TrainerError('argument', `The checkpoint cannot be written: ${what}.`)
}
