import { describe, expect, it } from 'vitest'
import { createArena } from '../../../src/engine/fused/arena'

describe('arena', () => {
  it('gives zeroed, aligned arrays that stay valid while it grows', () => {
    const arena = createArena()
    const first = arena.allocate(3)
    first.set([1, 2, 3])
    const large = arena.allocate(10_000_000)
    const [a, b] = arena.allocateGroup([5, 17])
    expect([first.length, large.length, a!.length, b!.length]).toEqual([3, 10_000_000, 5, 17])
    for (const array of [first, large, a!, b!]) expect(array.byteOffset % 64).toBe(0)
    large[9_999_999] = 4
    expect([...first]).toEqual([1, 2, 3])
    expect([...b!].every(x => x === 0)).toBe(true)
    expect(arena.memories).toHaveLength(1)
    expect(arena.used).toBe(64 + 40_000_000 + 64 + 128)
    // a view made before the memory grew, and one made after, show the same bytes
    expect(new Float32Array(large.buffer, first.byteOffset, 3)).toEqual(first)
  })

  it('holds other types', () => {
    const arena = createArena()
    expect(arena.allocate(3, 'int32')).toEqual(new Int32Array(3))
    expect(arena.allocate(3, 'uint8')).toEqual(new Uint8Array(3))
  })

  it('uses freed memory again, zeroed, and joins what lies side by side', () => {
    const arena = createArena()
    const arrays = Array.from({ length: 4 }, () => arena.allocate(100).fill(7))
    const places = arrays.map(array => arena.locate(array)!.at)
    for (const i of [2, 0, 1]) arena.free(arrays[i]!)
    arena.free(arrays[0]!.subarray(1)) // not an allocation: left alone
    arena.free(new Float32Array(4))
    const again = arena.allocate(250)
    expect(arena.locate(again)).toEqual({ memory: 0, at: places[0] })
    expect([...again].every(x => x === 0)).toBe(true)
    expect([...arrays[3]!].every(x => x === 7)).toBe(true)
  })

  it('opens another memory when one is full, but keeps a group together', () => {
    const told: number[] = []
    const arena = createArena({ pages: 4, onGrow: index => told.push(index) })
    const a = arena.allocate(40_000)
    const b = arena.allocate(40_000)
    const c = arena.allocate(10_000)
    const group = arena.allocateGroup([20_000, 20_000])
    expect([a, b, c].map(array => arena.locate(array)!.memory)).toEqual([0, 1, 0])
    expect(new Set(group.map(array => arena.locate(array)!.memory))).toHaveLength(1)
    expect(arena.locate(arena.allocateGroup([1000], b)[0]!)!.memory).toBe(1)
    expect(new Set(told)).toEqual(new Set([0, 1, 2]))
    expect(() => arena.allocateGroup([40_000, 40_000])).toThrow(/one memory holds 262080 in all\. Split/)
    expect(() => arena.allocateGroup([40_000], b)).toThrow(/Allocate the arrays together/)
  })

  it('locates parts of arrays, and knows what is not its own', () => {
    const arena = createArena()
    const array = arena.allocate(100)
    expect(arena.locate(array.subarray(10))).toEqual({ memory: 0, at: array.byteOffset + 40 })
    expect(arena.locate(new Float32Array(4))).toBeUndefined()
  })
})
