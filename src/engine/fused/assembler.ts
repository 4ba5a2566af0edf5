/**
 * WebAssembly's binary format, as far as the kernels of this folder need it: vectors of four float32, loops and plain
 * memory. Opcodes: https://webassembly.github.io/spec/core/binary/instructions.html.
 */
import { TrainerError } from '../../errors'

/** Instructions, nested as is convenient; they are flattened when the module is written. */
export type Code = readonly (number | Code)[]

/** The types of parameters, results and locals. */
export const types = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const
export type Type = keyof typeof types

/** One exported function. Its parameters are the first locals. */
export interface FunctionBody {
  readonly name: string
  readonly parameters: readonly Type[]
  readonly results: readonly Type[]
  readonly locals: readonly Type[]
  readonly code: Code
}

/** The most that one memory can hold: 4 GiB, in pages of 64 KiB. */
export const mostPages = 65536

/** A module of exported functions over one shared memory, imported as `env.memory`. */
export function assemble(functions: readonly FunctionBody[]): Uint8Array<ArrayBuffer> {
  const memory = [...name('env'), ...name('memory'), 0x02, 0x03, 1, ...unsigned(mostPages)]
  const signatures = functions.map(({ parameters, results }) => [
    0x60,
    ...vector(parameters.map(t => [types[t]])),
    ...vector(results.map(t => [types[t]])),
  ])
  const exported = functions.map((body, i) => [...name(body.name), 0x00, ...unsigned(i)])
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, vector(signatures)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(exported)),
    ...section(10, vector(functions.map(written))),
  ])
}

/** Names a function's locals as they are asked for, so that code speaks of names and not of numbers. */
export class Locals {
  readonly #index = new Map<string, number>()
  readonly #types: Type[] = []
  readonly #parameters: readonly Type[]

  constructor(parameters: Readonly<Record<string, Type>>) {
    this.#parameters = Object.values(parameters)
    for (const parameter of Object.keys(parameters)) this.#index.set(parameter, this.#index.size)
  }

  /** The parameters' types, in order. */
  get parameters(): readonly Type[] {
    return this.#parameters
  }

  /** The types of the locals that are not parameters, in order. */
  get types(): readonly Type[] {
    return this.#types
  }

  get(local: string): Code {
    return [0x20, ...unsigned(this.#number(local))]
  }

  /** Sets a local, which is made with this type the first time. */
  set(local: string, type: Type, value: Code): Code {
    if (!this.#index.has(local)) {
      this.#index.set(local, this.#index.size)
      this.#types.push(type)
    }
    return [value, 0x21, ...unsigned(this.#number(local))]
  }

  #number(local: string): number {
    const number = this.#index.get(local)
    if (number === undefined)
      throw new TrainerError('internal', `internal: the kernel reads the local "${local}" before it is set.`)
    return number
  }
}

/** `while (condition) body` */
export function whileLoop(condition: Code, body: Code): Code {
  return [0x02, 0x40, 0x03, 0x40, condition, i32.eqz, 0x0d, 1, body, 0x0c, 0, 0x0b, 0x0b]
}

/** `if (condition) body` */
export function when(condition: Code, body: Code): Code {
  return [condition, 0x04, 0x40, body, 0x0b]
}

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  eqz: [0x45],
  lessUnsigned: [0x49],
  lessOrEqualUnsigned: [0x4d],
  add: [0x6a],
  subtract: [0x6b],
  multiply: [0x6c],
  and: [0x71],
  xor: [0x73],
  shiftLeft: [0x74],
  shiftRight: [0x76],
  /** Four bytes to memory, at any address. */
  store: [0x36, 0x00, 0x00],
  /** The lowest byte to memory. */
  storeByte: (offset = 0): Code => [0x3a, 0x00, ...unsigned(offset)],
} as const

export const f64 = { add: [0xa0] } as const

/** Fills bytes: address, byte, length are on the stack. */
export const memoryFill: Code = [0xfc, 0x0b, 0x00]

/** Vector instructions; addresses need not be aligned. */
export const v128 = {
  /** Four lanes from memory. */
  load: memory(0x00),
  /** One lane from memory, zero in the others. */
  loadLane: memory(0x5c),
  /** Four lanes to memory. */
  store: memory(0x0b),
  /** One lane to memory. */
  storeLane: (lane: number, offset = 0): Code => [0xfd, 0x5a, 0x02, ...unsigned(offset), lane],
  constant: (lanes: readonly [number, number, number, number]): Code => [
    0xfd,
    0x0c,
    ...new Uint8Array(Int32Array.from(lanes).buffer),
  ],
  not: simd(0x4d),
  and: simd(0x4e),
  andNot: simd(0x4f),
  or: simd(0x50),
  xor: simd(0x51),
  /** The first where the third's bits are one, the second elsewhere. */
  select: simd(0x52),
  /** The upper two lanes of 32 bits, moved down. */
  upper: [...simd(0x0d), 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15],
} as const

export const f32x4 = {
  constant: (value: number): Code => {
    const bits = new Int32Array(Float32Array.of(value).buffer)[0]!
    return v128.constant([bits, bits, bits, bits])
  },
  splat: simd(0x13),
  equal: simd(0x41),
  less: simd(0x43),
  greater: simd(0x44),
  lessOrEqual: simd(0x45),
  greaterOrEqual: simd(0x46),
  notEqual: simd(0x42),
  floor: simd(0x68),
  abs: simd(0xe0),
  negate: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  subtract: simd(0xe5),
  multiply: simd(0xe6),
  divide: simd(0xe7),
  min: simd(0xe8),
  max: simd(0xe9),
} as const

export const i32x4 = {
  splat: simd(0x11),
  equal: simd(0x37),
  greater: simd(0x3b),
  shiftRight: simd(0xad),
  add: simd(0xae),
  multiply: simd(0xb5),
  /** The highest bit of each lane, the first lane's lowest. */
  bitmask: simd(0xa4),
} as const

export const f64x2 = {
  /** The lower two lanes of float32, as float64. */
  promoteLower: simd(0x5f),
  lane: (lane: 0 | 1): Code => [...simd(0x21), lane],
  add: simd(0xf0),
  multiply: simd(0xf2),
  zero: v128.constant([0, 0, 0, 0]),
} as const

function simd(opcode: number): readonly number[] {
  return [0xfd, ...unsigned(opcode)]
}

function memory(opcode: number): Code {
  return [0xfd, ...unsigned(opcode), 0x02, 0x00] // aligned to 4 bytes at least, no offset
}

function written({ locals, code }: FunctionBody): readonly number[] {
  const declared = vector(locals.map(type => [1, types[type]]))
  const bytes = [...declared, ...flatten(code), 0x0b]
  return [...unsigned(bytes.length), ...bytes]
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly (readonly number[])[]): readonly number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function name(text: string): readonly number[] {
  const bytes = Array.from(text, character => character.charCodeAt(0)) // names here are ASCII
  return [...unsigned(bytes.length), ...bytes]
}

function flatten(code: Code): number[] {
  return code.flatMap(part => (typeof part === 'number' ? [part] : flatten(part)))
}

/** LEB128 without a sign: seven bits a byte, the lowest first. */
function unsigned(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(Math.floor(value / 128))]
}

/** LEB128 with a sign, of 32 bits. */
function signed(value: number): readonly number[] {
  const low = value & 127
  const rest = value >> 7
  const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)
  return done ? [low] : [low | 128, ...signed(rest)]
}
