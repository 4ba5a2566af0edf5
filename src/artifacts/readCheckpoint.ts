import { quoted, TrainerError } from '../errors'
import type { SlicedFile } from '../files/readFile'
import { dataTypeOf } from '../onnx/wire'
import { bytesPerElement, createData, type DataType, sizeOf, Tensor } from '../tensor'
import type { Checkpoint, OptimizerState } from './Checkpoint'
import {
  checkpointIdentifier,
  checkpointSchema,
  groupName,
  readableVersions,
  type TensorSchema,
} from './checkpointSchema'
import type { TableOf } from './flatBufferSchema'
import { type MomentName, momentNames } from './names'
import { FlatBufferError, FlatBufferReader } from './readFlatBuffer'

/** Options of {@link readCheckpoint}. */
export interface ReadCheckpointOptions {
  /** What errors call the file. */
  readonly file: string
  /** The file beside a large checkpoint that holds its values; needed where it has one. */
  readonly external?: SlicedFile | undefined
}

type FileTensor = TableOf<TensorSchema>
type Root = TableOf<typeof checkpointSchema>

/**
 * Reads the bytes of a checkpoint of ONNX Runtime Training (1.15 to 1.19.2). Values are views of them where they are
 * aligned. Nothing in them is trusted, and what is read takes no more memory than they do.
 * @throws TrainerError (`file`) with the file and the place in it when they are damaged, of another version, or when
 * values are in a file that was not given.
 */
export async function readCheckpoint(bytes: Uint8Array, options: ReadCheckpointOptions): Promise<Checkpoint> {
  return new CheckpointReader(options).read(bytes)
}

class CheckpointReader {
  readonly #file: string
  readonly #external: SlicedFile | undefined
  #isNominal = false
  #isExternal = false
  #externalTensors = 0
  /** How many bytes of the external file have been read. */
  #externalBytes = 0

  constructor({ file, external }: ReadCheckpointOptions) {
    this.#file = file
    this.#external = external
  }

  async read(bytes: Uint8Array): Promise<Checkpoint> {
    const root = this.#root(bytes)
    const state = root.module_state ?? { requires_grad_params: [], frozen_params: [] }
    this.#isNominal = this.#truth(state.is_nominal_state, 'is_nominal_state')
    this.#isExternal = this.#truth(state.has_external_data, 'has_external_data')
    if (root.version === 1 && (this.#isNominal || this.#isExternal))
      throw this.#damaged('it is of version 1, which has neither nominal states nor external data')
    const names = new Set<string>()
    const trained = await this.#parameters(state.requires_grad_params, 'requires_grad_params', names)
    const frozen = await this.#parameters(state.frozen_params, 'frozen_params', names)
    const optimizer = await this.#optimizer(root, trained)
    if (this.#isExternal && this.#externalTensors === 0)
      throw this.#damaged('module_state.has_external_data is set, but no tensor has its values elsewhere')
    const shared = { trained, frozen, isNominal: this.#isNominal, properties: this.#properties(root) }
    return optimizer === undefined ? shared : { ...shared, optimizer }
  }

  #root(bytes: Uint8Array): Root {
    try {
      const reader = new FlatBufferReader(bytes, checkpointIdentifier)
      return reader.root(checkpointSchema, version => this.#checkVersion(version))
    } catch (cause) {
      throw cause instanceof FlatBufferError ? this.#damaged(cause.message, cause) : cause
    }
  }

  #checkVersion(version: number): void {
    if (readableVersions.includes(version)) return
    const problem = `${this.#file} is a checkpoint of version ${version}; readable are ${readableVersions.join(' and ')}`
    throw new TrainerError('file', `${problem}.`, { fix: 'Save it with onnxruntime-training 1.15 to 1.19.2.' })
  }

  #truth(value: number | undefined, field: string): boolean {
    if (value === undefined || value === 0) return false
    if (value === 1) return true
    throw this.#damaged(`module_state.${field} is ${value}, where 0 or 1 is expected`)
  }

  async #parameters(
    tables: readonly FileTensor[] | undefined,
    field: string,
    names: Set<string>,
  ): Promise<Map<string, Tensor>> {
    if (tables === undefined) throw this.#damaged(`module_state.${field} is missing`)
    const tensors = new Map<string, Tensor>()
    for (const [i, table] of tables.entries()) {
      const place = `module_state.${field}[${i}]`
      const name = this.#name(table.name, place, names)
      const tensor = await this.#tensor(table, `${place} ("${name}")`, this.#isNominal)
      if (field === 'requires_grad_params' && !floating.has(tensor.dtype))
        throw this.#damaged(`${place} ("${name}") is trained, but of the type ${tensor.dtype}`)
      tensors.set(name, tensor)
    }
    return tensors
  }

  #name(name: string | undefined, place: string, names: Set<string>): string {
    if (name === undefined || name === '') throw this.#damaged(`${place} has no name`)
    if (name.includes('\0')) throw this.#damaged(`${place} has a name with a NUL in it, "${name}"`)
    if (names.has(name)) throw this.#damaged(`${place} is called "${name}", as another is`)
    names.add(name)
    return name
  }

  async #tensor(table: FileTensor, place: string, isNominal = false): Promise<Tensor> {
    const dtype = dataTypeOf(table.data_type ?? 0)
    if (dtype === undefined)
      throw this.#damaged(`${place} has the ONNX element type ${table.data_type ?? 0}, which cannot be read`)
    if (table.string_data !== undefined) throw this.#damaged(`${place} holds both texts and ${dtype}`)
    const dims = this.#dims(table.dims ?? [], place)
    if (isNominal) {
      if (table.raw_data === undefined || table.raw_data.length === 0) return Tensor.zeros(dtype, [0])
      throw this.#damaged(`${place} has values, although module_state.is_nominal_state is set`)
    }
    const wanted = sizeOf(dims) * bytesPerElement(dtype)
    const bytes = table.raw_data ?? (await this.#outside(table.external_data_offset, wanted, place))
    if (bytes.length !== wanted)
      throw this.#damaged(
        `${place} of shape ${dtype}[${dims.join(', ')}] needs ${wanted} bytes, but has ${bytes.length}`,
      )
    if (table.raw_data !== undefined && (table.external_data_offset ?? -1n) !== -1n)
      throw this.#damaged(`${place} has values in two places`)
    const aligned = bytes.byteOffset % bytesPerElement(dtype) === 0 ? bytes : new Uint8Array(bytes)
    return new Tensor(dtype, createData(dtype, sizeOf(dims), aligned.buffer, aligned.byteOffset) as never, dims)
  }

  #dims(dims: readonly bigint[], place: string): number[] {
    const numbers = dims.map(Number)
    const isShape = numbers.every(dim => Number.isSafeInteger(dim) && dim >= 0)
    if (isShape && Number.isSafeInteger(sizeOf(numbers) * 8)) return numbers
    throw this.#damaged(`${place} has the shape [${dims.join(', ')}]`)
  }

  /** Values of the file beside; together they take no more than it has, so no part is read again and again. */
  async #outside(offset: bigint | undefined, size: number, place: string): Promise<Uint8Array> {
    if (offset === undefined || offset < 0n) throw this.#damaged(`${place} has no values`)
    if (!this.#isExternal) throw this.#damaged(`${place} has its values elsewhere, but has_external_data is not set`)
    if (this.#external === undefined)
      throw new TrainerError('file', `The values of ${this.#file} are in another file, which was not given.`, {
        fix: `Put the file that was written beside it (its name, and ".data") into the same folder.`,
      })
    const { byteLength } = this.#external
    this.#externalTensors++
    this.#externalBytes += size
    if (Number(offset) + size > byteLength || this.#externalBytes > byteLength)
      throw this.#damaged(`${place} would take ${size} bytes at ${offset} of its data file, which has ${byteLength}`)
    return new Uint8Array(await this.#external.slice(Number(offset), Number(offset) + size))
  }

  async #optimizer(root: Root, trained: ReadonlyMap<string, Tensor>): Promise<OptimizerState | undefined> {
    const [group, ...others] = root.optimizer_groups ?? []
    if (group === undefined) return undefined
    if (others.length > 0 || group.group_name !== groupName) {
      const found = quoted([group, ...others].map(({ group_name }) => group_name ?? ''))
      throw this.#damaged(`optimizer_groups are ${found}, where "${groupName}" alone is expected`)
    }
    const step = Number(group.step ?? 0n)
    if (!Number.isSafeInteger(step) || step < 0) throw this.#damaged(`optimizer_groups[0].step is ${group.step}`)
    const states = new Map<string, ReadonlyMap<MomentName, Tensor>>()
    const names = new Set<string>()
    for (const [i, table] of (group.optimizer_states ?? []).entries()) {
      const place = `optimizer_groups[0].optimizer_states[${i}]`
      const name = this.#name(table.param_name, place, names)
      const parameter = trained.get(name)
      if (parameter === undefined) throw this.#damaged(`${place} is of "${name}", which is no trained parameter`)
      states.set(name, await this.#moments(table.momentums ?? [], `${place} ("${name}")`, parameter))
    }
    return { step, initialLearningRate: group.initial_learning_rate ?? 0, states }
  }

  async #moments(tables: readonly FileTensor[], place: string, parameter: Tensor): Promise<Map<MomentName, Tensor>> {
    const moments = new Map<MomentName, Tensor>()
    const names = new Set<string>()
    for (const [i, table] of tables.entries()) {
      const at = `${place}.momentums[${i}]`
      const name = this.#name(table.name, at, names)
      if (!isMoment(name)) throw this.#damaged(`${at} is called "${name}"; moments are ${quoted(momentNames)}`)
      const moment = await this.#tensor(table, at)
      const isLike = moment.dtype === parameter.dtype && moment.dims.join() === parameter.dims.join()
      if (!isLike && !this.#isNominal)
        throw this.#damaged(`${at} is ${typeText(moment)}, but its parameter ${typeText(parameter)}`)
      moments.set(name, moment)
    }
    if (momentNames.slice(0, moments.size).every(name => moments.has(name))) return moments
    throw this.#damaged(`${place} has ${quoted([...moments.keys()])} alone`)
  }

  #properties({ property_bag: bag }: Root): Map<string, bigint | number | string> {
    const names = new Set<string>()
    const { ints = [], floats = [], strings = [] } = bag ?? {}
    const named = <T>(
      list: string,
      tables: readonly TableOf<{ name: 'text' }>[],
      values: readonly T[],
    ): [string, T][] => tables.map(({ name }, i) => [this.#name(name, `property_bag.${list}[${i}]`, names), values[i]!])
    return new Map<string, bigint | number | string>([
      ...named(
        'ints',
        ints,
        ints.map(({ value }) => value ?? 0n),
      ),
      ...named(
        'floats',
        floats,
        floats.map(({ value }) => value ?? 0),
      ),
      ...named(
        'strings',
        strings,
        strings.map(({ value }) => value ?? ''),
      ),
    ])
  }

  #damaged(what: string, cause?: Error): TrainerError {
    const problem = `${this.#file} is not a whole checkpoint of ONNX Runtime Training: ${what}.`
    const options = { fix: 'Copy it again, or save it again.' }
    return new TrainerError('file', problem, cause === undefined ? options : { ...options, cause })
  }
}

const floating: ReadonlySet<DataType> = new Set(['float32', 'float64', 'float16', 'bfloat16'])

function isMoment(name: string): name is MomentName {
  return (momentNames as readonly string[]).includes(name)
}

function typeText({ dtype, dims }: Tensor): string {
  return `${dtype}[${dims.join(', ')}]`
}
