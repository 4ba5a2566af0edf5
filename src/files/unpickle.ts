import { TrainerError } from '../errors'

/** What a pickle may hold here: data, and the few kinds of objects in a state dict. Nothing is ever executed. */
export type Pickled =
  | string
  | number
  | bigint
  | boolean
  | undefined
  | Uint8Array
  | Pickled[]
  | Map<Pickled, Pickled>
  | PickledName
  | PickledStorage
  | PickledTensor

/** A Python name, kept as text: it is never looked up. */
export class PickledName {
  constructor(readonly path: string) {}
}

/** A block of numbers elsewhere in the file. */
export class PickledStorage {
  /**
   * @param type the storage's class, such as `FloatStorage`.
   * @param size its number of elements.
   */
  constructor(
    readonly type: string,
    readonly key: string,
    readonly size: number,
  ) {}
}

/** A tensor: a window of a storage; offset and strides in elements. */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    readonly offset: number,
    readonly dims: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/**
 * Reads one pickle of PyTorch's, protocols 2 to 5, without executing anything: names other than those of tensors,
 * storages and ordered dicts are refused.
 * @param file its name in errors.
 * @returns the value, and how many bytes it took.
 * @throws TrainerError (`file`) for a name or an opcode that a state dict does not need; {@link PickleEnd} when the
 * bytes end too early.
 */
export function unpickle(bytes: Uint8Array, file: string): { value: Pickled; length: number } {
  const machine = new Machine(bytes, file)
  while (!machine.finished) machine.step()
  return { value: machine.pop(), length: machine.at }
}

/** Thrown when the bytes end before the pickle does, so that a reader of a stream can fetch more. */
export class PickleEnd extends TrainerError {
  constructor(file: string) {
    super('file', `${file} is truncated: a pickle in it has no end.`, { fix: 'Download or save it again.' })
  }
}

const storageTypes = /^torch\.(Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool)Storage$/
const allowedNames = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch.Size',
])

/** The pickle machine: a stack, a memo, and one method for each kind of opcode. */
class Machine {
  at = 0
  finished = false
  readonly #stack: (Pickled | symbol)[] = []
  readonly #memo = new Map<number, Pickled>()
  readonly #view: DataView

  constructor(
    readonly bytes: Uint8Array,
    readonly file: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  step(): void {
    const code = this.#uint(1)
    const operation = operations[code]
    if (operation === undefined) throw this.refuse(`the opcode 0x${code.toString(16)}`)
    operation(this)
  }

  finish(): void {
    this.finished = true
  }

  push(value: Pickled | symbol): void {
    this.#stack.push(value)
  }

  pop(): Pickled {
    if (this.#stack.length === 0) throw this.refuse('an operation on an empty stack')
    const value = this.#stack.pop()
    if (typeof value === 'symbol') throw this.refuse('a mark in the wrong place')
    return value
  }

  /** Pops everything down to the last mark, and the mark. */
  popToMark(): Pickled[] {
    const from = this.#stack.lastIndexOf(mark)
    if (from < 0) throw this.refuse('a missing mark')
    return this.#stack.splice(from).slice(1) as Pickled[]
  }

  /** `length` little-endian bytes as a number below 2⁵³. */
  uint(length: number): number {
    return this.#uint(length)
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new PickleEnd(this.file)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  text(length: number): string {
    return new TextDecoder().decode(this.take(length))
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0) throw new PickleEnd(this.file)
    const line = this.text(end - this.at)
    this.at++
    return line
  }

  int32(): number {
    this.take(4)
    return this.#view.getInt32(this.at - 4, true)
  }

  float64(): number {
    this.take(8)
    return this.#view.getFloat64(this.at - 8, false)
  }

  memoize(key = this.#memo.size): void {
    const top = this.#stack.at(-1)
    if (typeof top === 'symbol') throw this.refuse('a mark in the wrong place')
    this.#memo.set(key, top)
  }

  recall(key: number): void {
    if (!this.#memo.has(key)) throw this.refuse(`memo ${key}, which was never set`)
    this.push(this.#memo.get(key))
  }

  refuse(what: string): TrainerError {
    return new TrainerError(
      'file',
      `${this.file} contains ${what}, which the weights of a model do not need; nothing was executed.`,
      { fix: 'Save the model as safetensors in Python (model.save_pretrained(folder)), if you trust the file.' },
    )
  }

  #uint(length: number): number {
    return this.take(length).reduceRight((value, byte) => value * 256 + byte, 0)
  }
}

const mark = Symbol('mark')

/** What each opcode does, by its byte. The names are those of Python's pickletools. */
const operations: Readonly<Record<number, (m: Machine) => void>> = {
  0x80: m => void m.take(1), // PROTO
  0x95: m => void m.take(8), // FRAME
  0x2e: m => m.finish(), // STOP
  0x28: m => m.push(mark), // MARK
  0x30: m => void m.pop(), // POP
  0x4e: m => m.push(undefined), // NONE
  0x88: m => m.push(true), // NEWTRUE
  0x89: m => m.push(false), // NEWFALSE
  0x4a: m => m.push(m.int32()), // BININT
  0x4b: m => m.push(m.uint(1)), // BININT1
  0x4d: m => m.push(m.uint(2)), // BININT2
  0x8a: m => m.push(signedLong(m.take(m.uint(1)))), // LONG1
  0x47: m => m.push(m.float64()), // BINFLOAT
  0x58: m => m.push(m.text(m.uint(4))), // BINUNICODE
  0x8c: m => m.push(m.text(m.uint(1))), // SHORT_BINUNICODE
  0x8d: m => m.push(m.text(m.uint(8))), // BINUNICODE8
  0x54: m => m.push(m.text(m.uint(4))), // BINSTRING
  0x55: m => m.push(m.text(m.uint(1))), // SHORT_BINSTRING
  0x42: m => m.push(m.take(m.uint(4))), // BINBYTES
  0x43: m => m.push(m.take(m.uint(1))), // SHORT_BINBYTES
  0x5d: m => m.push([]), // EMPTY_LIST
  0x7d: m => m.push(new Map()), // EMPTY_DICT
  0x29: m => m.push([]), // EMPTY_TUPLE
  0x74: m => m.push(m.popToMark()), // TUPLE
  0x85: m => m.push([m.pop()]), // TUPLE1
  0x86: m => m.push([m.pop(), m.pop()].reverse()), // TUPLE2
  0x87: m => m.push([m.pop(), m.pop(), m.pop()].reverse()), // TUPLE3
  0x61: m => extend(m, [m.pop()]), // APPEND
  0x65: m => extend(m, m.popToMark()), // APPENDS
  0x73: m => fill(m, [m.pop(), m.pop()].reverse()), // SETITEM
  0x75: m => fill(m, m.popToMark()), // SETITEMS
  0x71: m => m.memoize(m.uint(1)), // BINPUT
  0x72: m => m.memoize(m.uint(4)), // LONG_BINPUT
  0x94: m => m.memoize(), // MEMOIZE
  0x68: m => m.recall(m.uint(1)), // BINGET
  0x6a: m => m.recall(m.uint(4)), // LONG_BINGET
  0x63: m => m.push(nameOf(m, `${m.line()}.${m.line()}`)), // GLOBAL
  0x93: m => m.push(nameOf(m, [m.pop(), m.pop()].reverse().join('.'))), // STACK_GLOBAL
  0x51: m => m.push(storageOf(m, m.pop())), // BINPERSID
  0x52: m => rebuild(m), // REDUCE
  0x62: m => void m.pop(), // BUILD: attributes of an ordered dict, such as _metadata, are not weights
}

function nameOf(m: Machine, path: string): PickledName {
  if (!allowedNames.has(path) && !storageTypes.test(path)) throw m.refuse(`the name ${path}`)
  return new PickledName(path)
}

function storageOf(m: Machine, id: Pickled): PickledStorage {
  if (
    Array.isArray(id) &&
    id[0] === 'storage' &&
    id[1] instanceof PickledName &&
    typeof id[2] === 'string' &&
    isSize(id[4])
  ) {
    return new PickledStorage(id[1].path.replace('torch.', ''), id[2], id[4])
  }
  throw m.refuse('a reference that is not a storage')
}

/** Replaces a call by the value that the few allowed functions would return. */
function rebuild(m: Machine): void {
  const values = m.pop()
  const call = m.pop()
  const name = call instanceof PickledName ? call.path : ''
  const given = Array.isArray(values) ? values : []
  if (name === 'collections.OrderedDict' && given.length === 0) return m.push(new Map())
  if (name === 'torch.Size') return m.push(given[0])
  if (name === 'torch._utils._rebuild_parameter') return m.push(given[0])
  const [storage, offset, dims, strides] = given
  if (
    name.startsWith('torch._utils._rebuild_tensor') &&
    storage instanceof PickledStorage &&
    isSize(offset) &&
    isSizes(dims) &&
    isSizes(strides) &&
    dims.length === strides.length
  )
    return m.push(new PickledTensor(storage, offset, dims, strides))
  throw m.refuse(`a call of ${name === '' ? 'something unnamed' : name} with unknown arguments`)
}

function extend(m: Machine, values: Pickled[]): void {
  const list = m.pop()
  if (!Array.isArray(list)) throw m.refuse('an append to something that is not a list')
  for (const value of values) list.push(value)
  m.push(list)
}

function fill(m: Machine, items: Pickled[]): void {
  const dict = m.pop()
  if (!(dict instanceof Map)) throw m.refuse('an item set on something that is not a dict')
  for (let i = 0; i + 1 < items.length; i += 2) dict.set(items[i], items[i + 1])
  m.push(dict)
}

/** Little-endian two's complement of any length. */
function signedLong(bytes: Uint8Array): number | bigint {
  const value = BigInt.asIntN(
    bytes.length * 8,
    bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n),
  )
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

function isSize(value: Pickled): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isSizes(value: Pickled): value is number[] {
  return Array.isArray(value) && value.every(isSize)
}
