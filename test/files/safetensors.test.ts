import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { openSafetensors, readSafetensors } from '../../src/files/safetensors'
import { writeSafetensors } from '../../src/files/writeSafetensors'
import { Tensor, type DataType } from '../../src/tensor'
import { fixture } from '../checkpoint/fixture'
import { temporaryFolder } from '../helpers/temporaryFolder'

const folder = temporaryFolder()
let counter = 0

/** A file with the given header and `size` bytes of data. */
async function fileWith(header: unknown, size = 0): Promise<string> {
  const path = join(folder, `${counter++}.safetensors`)
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  await writeFile(path, Buffer.concat([length, text, Buffer.alloc(size)]))
  return path
}

describe('reading', () => {
  it('has the values that Python wrote, of each data type', async () => {
    const expected = JSON.parse(readFileSync(fixture('types.json'), 'utf8')) as Record<
      string,
      { dims: number[]; values: (number | string)[] }
    >
    const file = await openSafetensors(fixture('types.safetensors'))
    expect(file.metadata).toEqual({ format: 'pt', note: 'käse' })
    expect([...file.tensors.keys()].sort()).toEqual(Object.keys(expected).sort())
    const types: Record<string, DataType> = {
      f64: 'float64',
      f32: 'float32',
      f16: 'float16',
      bf16: 'bfloat16',
      i64: 'int64',
      i32: 'int32',
      i16: 'int16',
      i8: 'int8',
      u8: 'uint8',
      bool: 'bool',
    }
    for (const [name, { dims, values }] of Object.entries(expected)) {
      const numbers = values.map(Number)
      const tensor = await file.read(name)
      expect(tensor.dtype).toBe(types[name] ?? 'float32')
      expect(tensor.dims).toEqual(dims)
      if (!name.endsWith('f16')) expect(Array.from(tensor.data as ArrayLike<number | bigint>, Number)).toEqual(numbers)
      expect([...(await file.readFloat32(name)).data]).toEqual(numbers.map(Math.fround))
    }
    await expect(file.read('missing')).rejects.toThrow("has no tensor 'missing'")
    await file.close()
  })

  it.each([
    ['missing', async () => join(folder, 'none.safetensors'), 'There is no file'],
    ['a folder', async () => folder, 'is not a file'],
    [
      'empty',
      async () => {
        const path = join(folder, 'empty.safetensors')
        await writeFile(path, '')
        return path
      },
      'is truncated: it has 0 bytes',
    ],
    [
      'a pointer of Git LFS',
      async () => {
        const path = join(folder, 'pointer.safetensors')
        await writeFile(path, 'version https://git-lfs.github.com/spec/v1\n')
        return path
      },
      'a pointer of Git LFS',
    ],
    [
      'an endless header',
      async () => {
        const path = join(folder, 'huge.safetensors')
        await writeFile(path, Buffer.alloc(64, 0xff))
        return path
      },
      'more than the 100000000 allowed',
    ],
    [
      'cut in the header',
      async () => {
        const path = join(folder, 'cut.safetensors')
        await writeFile(path, readFileSync(fixture('types.safetensors')).subarray(0, 100))
        return path
      },
      'is truncated: its header ends at byte',
    ],
    [
      'cut in a tensor',
      async () => {
        const path = join(folder, 'cut2.safetensors')
        await writeFile(path, readFileSync(fixture('floats.safetensors')).subarray(0, -1))
        return path
      },
      "is truncated: tensor 'encoder.weight' ends at byte 268, the file at byte 267",
    ],
    ['not JSON', () => fileWith('{"a":'), 'its header is not JSON'],
    [
      'not UTF-8',
      async () => {
        const path = join(folder, 'latin.safetensors')
        await writeFile(path, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xe4, 0xe4]))
        return path
      },
      'its header is not JSON',
    ],
    ['a list', () => fileWith([]), 'its header is not a JSON object'],
    ['an odd entry', () => fileWith({ a: 1 }), "its entry of tensor 'a' is not an object"],
    ['odd metadata', () => fileWith({ __metadata__: { step: 1 } }), '__metadata__ is not an object of strings'],
    [
      'an unknown type',
      () => fileWith({ a: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, 1),
      `Tensor 'a' of`,
    ],
    [
      'an inherited type',
      () => fileWith({ a: { dtype: 'constructor', shape: [1], data_offsets: [0, 1] } }, 1),
      'has the data type "constructor"',
    ],
    [
      'a negative size',
      () => fileWith({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4),
      "the shape of tensor 'a' is [-1]",
    ],
    [
      'a size beyond numbers',
      () => fileWith({ a: { dtype: 'F32', shape: [2 ** 30, 2 ** 30], data_offsets: [0, 4] } }, 4),
      "tensor 'a' of type F32",
    ],
    [
      'offsets of another size',
      () => fileWith({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4),
      'takes 8 bytes, its data_offsets 4',
    ],
    [
      'one offset',
      () => fileWith({ a: { dtype: 'F32', shape: [1], data_offsets: [4] } }, 4),
      "the data_offsets of tensor 'a' are [4]",
    ],
    [
      'an overlap',
      () =>
        fileWith(
          {
            a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
            b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
          },
          8,
        ),
      "tensor 'b' overlaps tensor 'a'",
    ],
    [
      'a hole',
      () =>
        fileWith(
          {
            a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
            b: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
          },
          12,
        ),
      "4 unclaimed bytes between tensor 'a' and tensor 'b'",
    ],
    [
      'a tail',
      () => fileWith({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 6),
      '2 bytes follow the last tensor',
    ],
    [
      'a name twice',
      () =>
        fileWith(
          '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},' +
            '"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
        ),
      "names tensor 'a' twice",
    ],
  ] as [string, () => Promise<string>, string][])('refuses a file that is: %s', async (_what, make, message) => {
    const path = await make()
    await expect(openSafetensors(path)).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining(path) as string,
    })
    await expect(openSafetensors(path)).rejects.toThrow(message)
  })

  it('does not take a name inside a name for a duplicate', async () => {
    const path = await fileWith(
      {
        shape: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
        'a"{': { dtype: 'U8', shape: [0], data_offsets: [1, 1] },
      },
      1,
    )
    expect([...(await readSafetensors(path)).tensors.keys()]).toEqual(['shape', 'a"{'])
  })
})

describe('writing', () => {
  it("gives the bytes of Python's library", async () => {
    const path = join(folder, 'floats.safetensors')
    const { tensors } = await readSafetensors(fixture('floats.safetensors'))
    const size = await writeSafetensors(path, [...tensors].reverse())
    expect(readFileSync(path)).toEqual(readFileSync(fixture('floats.safetensors')))
    expect(size).toBe(268)
  })

  it('keeps every type, shared memory and odd names, and leaves no other file', async () => {
    const path = join(folder, 'round.safetensors')
    const { tensors } = await readSafetensors(fixture('types.safetensors'))
    const shared = new Float32Array(new SharedArrayBuffer(20), 4, 3)
    shared.set([1, 2, 3])
    tensors.set('__proto__', new Tensor('float32', shared, [3]))
    await writeSafetensors(path, tensors, { step: '7' })
    const read = await readSafetensors(path)
    expect(read.metadata).toEqual({ format: 'pt', step: '7' })
    expect([...read.tensors].sort()).toEqual([...tensors].sort())
    expect(readdirSync(folder).filter(name => name.includes('.tmp'))).toEqual([])
  })

  it('leaves the old file when the new one cannot be written', async () => {
    const path = join(folder, 'kept.safetensors')
    await writeSafetensors(path, [['a', Tensor.from('float32', [1])]])
    const broken = {
      dtype: 'float32',
      dims: [1],
      get data(): Float32Array {
        throw new Error('no data')
      },
    } as unknown as Tensor
    await expect(writeSafetensors(path, [['a', broken]])).rejects.toThrow('no data')
    expect((await readSafetensors(path)).tensors.get('a')!.tolist()).toEqual([1])
    await expect(writeSafetensors(join(folder, 'none', 'a.safetensors'), [])).rejects.toThrow(
      `Cannot write ${join(folder, 'none', 'a.safetensors')}`,
    )
  })

  it('does not block the event loop: 256 MB, half of them shared, written and read', { retry: 2 }, async () => {
    const path = join(folder, 'large.safetensors')
    const half = 32 << 20
    const tensors: [string, Tensor][] = [
      ['own', new Tensor('float32', new Float32Array(half).fill(1), [half])],
      ['shared', new Tensor('float32', new Float32Array(new SharedArrayBuffer(half * 4)).fill(2), [half])],
    ]
    const pause = await longestPause(async () => {
      await writeSafetensors(path, tensors)
      const file = await openSafetensors(path)
      expect((await file.read('shared')).data[half - 1]).toBe(2)
      await file.close()
    })
    // 4 MB are copied in about 1 ms; the bound leaves room for a busy machine, which may delay anything once.
    expect(pause).toBeLessThan(100)
  })
})

/** The longest time, in ms, that a timer of 1 ms was late while `work` ran. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await work()
  clearInterval(timer)
  return longest
}
