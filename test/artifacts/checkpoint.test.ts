import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile, writeCheckpointFile } from '../../src/artifacts/checkpointFile'
import { encodeCheckpoint } from '../../src/artifacts/encodeCheckpoint'
import { readCheckpoint } from '../../src/artifacts/readCheckpoint'
import { Tensor } from '../../src/tensor'
import { temporaryFolder } from '../helpers/temporaryFolder'

const folder = fileURLToPath(new URL('../fixtures/onnx/artifacts', import.meta.url))
const official = ['mlp-l1/checkpoint', 'mlp-l1/checkpoint.after', 'external/checkpoint', 'nominal_checkpoint']
const noParameters = { trained: new Map(), frozen: new Map(), isNominal: false, properties: new Map() }
const one: Checkpoint = { ...noParameters, trained: new Map([['w', Tensor.from('float32', [1, 2])]]) }

/** The bytes of a checkpoint, with some of them replaced at the first place where others stand. */
function edited(checkpoint: Checkpoint, from: Uint8Array | string, to: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(encodeCheckpoint(checkpoint))
  const at = bytes.indexOf(from)
  expect(at).toBeGreaterThan(0)
  bytes.set(Buffer.from(to), at)
  return bytes
}

const read = (bytes: Uint8Array): Promise<Checkpoint> => readCheckpoint(bytes, { file: 'checkpoint' })

describe("checkpoints of ONNX Runtime Training's own", () => {
  it('are read, with the moments and the step of their optimizer', async () => {
    const before = await readCheckpointFile(`${folder}/mlp-l1/checkpoint`)
    expect([...before.trained].map(([name, { dims }]) => [name, ...dims])).toEqual([
      ['0.weight', 16, 8],
      ['0.bias', 16],
      ['2.weight', 16, 16],
      ['2.bias', 16],
      ['4.weight', 3, 16],
      ['4.bias', 3],
    ])
    expect(before.optimizer).toBeUndefined()
    const after = await readCheckpointFile(`${folder}/mlp-l1/checkpoint.after`)
    expect(after.optimizer).toMatchObject({ step: 4, initialLearningRate: Math.fround(1e-3) })
    const moments = after.optimizer!.states.get('4.bias')!
    expect([...moments.keys()]).toEqual(['momentum0', 'momentum1'])
    moments.get('momentum1')!.data.forEach(value => expect(value).toBeGreaterThan(0))
    expect(moments.get('momentum0')!.dims).toEqual([3])
  })

  it.each(official)('%s is the same after it is written again', async file => {
    const checkpoint = await readCheckpointFile(`${folder}/${file}`)
    const copy = `${temporaryFolder()}/checkpoint`
    await writeCheckpointFile(copy, checkpoint)
    expect(sorted(await readCheckpointFile(copy))).toEqual(sorted(checkpoint))
    await writeCheckpointFile(copy, checkpoint, { mostInside: 0 })
    expect(sorted(await readCheckpointFile(copy))).toEqual(sorted(checkpoint))
  })

  it('may have their values in a file beside them, which has to be there and whole', async () => {
    const path = `${folder}/external/checkpoint`
    const { trained } = await readCheckpointFile(path)
    const { trained: inside } = await readCheckpointFile(`${folder}/mlp-l1/checkpoint`)
    expect(sorted({ ...noParameters, trained })).toEqual(sorted({ ...noParameters, trained: inside }))
    const copy = `${temporaryFolder()}/checkpoint`
    writeFileSync(copy, readFileSync(path))
    await expect(readCheckpointFile(copy)).rejects.toThrow(`The values of ${copy} are in another file`)
    writeFileSync(`${copy}.data`, readFileSync(`${path}.data`).subarray(0, -4))
    await expect(readCheckpointFile(copy)).rejects.toThrow(/would take \d+ bytes at \d+ of its data file/)
  })

  it('that are nominal have names without values', async () => {
    const { isNominal, trained, frozen } = await readCheckpointFile(`${folder}/nominal_checkpoint`)
    expect(isNominal).toBe(true)
    expect([...trained.keys(), ...frozen.keys()].toSorted()).toEqual([
      'body.bias',
      'body.weight',
      'class.bias',
      'class.weight',
      'value.weight',
    ])
    for (const { size } of trained.values()) expect(size).toBe(0)
  })
})

function sorted({ trained, frozen, optimizer, properties, ...rest }: Checkpoint): unknown {
  const byName = <T>(named: ReadonlyMap<string, T>): [string, T][] => [...named].sort(([a], [b]) => (a < b ? -1 : 1))
  const states = optimizer === undefined ? [] : byName(optimizer.states).map(([name, own]) => [name, byName(own)])
  return [rest, byName(trained), byName(frozen), { ...optimizer, states }, byName(properties)]
}

describe('a checkpoint', () => {
  it('of any names, types, sizes and properties comes back as it was', async () => {
    const names = ['z', 'Ä', '漢字', '🚀', '\u{10348}', 'e\u0301', ' ', 'a.b/c::d', '__proto__']
    const trained = new Map(names.map((name, i) => [name, Tensor.zeros('float32', [i, 2])]))
    const frozen = new Map<string, Tensor>([
      ['scalar', new Tensor('float64', Float64Array.of(Math.PI), [])],
      ['int64', new Tensor('int64', BigInt64Array.of(-1n, 2n ** 62n, 3n), [3])],
      ['half', new Tensor('float16', Uint16Array.of(1, 2, 3), [1, 3])],
    ])
    const states = new Map(names.slice(0, 4).map(name => [name, new Map([['momentum0', trained.get(name)!] as const])]))
    const optimizer = { step: 2 ** 53 - 1, initialLearningRate: Math.fround(3e-5), states }
    const properties = new Map<string, bigint | number | string>([
      ['epoch', -(2n ** 63n)],
      ['zero', 0n],
      ['loss', 0.5],
      ['note', 'größer 🚀'],
      ['empty', ''],
    ])
    const checkpoint = { trained, frozen, isNominal: false, optimizer, properties }
    expect(sorted(await read(encodeCheckpoint(checkpoint)))).toEqual(sorted(checkpoint))
  })

  it('lists names in the order of their UTF-8 bytes', async () => {
    const trained = new Map(['\u{1F680}', '\uFF5E', 'b', 'a'].map(name => [name, Tensor.zeros('float32', [1])]))
    const { trained: back } = await read(encodeCheckpoint({ ...noParameters, trained }))
    expect([...back.keys()]).toEqual(['a', 'b', '\uFF5E', '\u{1F680}'])
  })

  it.each([
    ['a name twice', { ...one, frozen: one.trained }, '"w" is both trained and frozen'],
    ['no name', { ...one, trained: new Map([['', one.trained.get('w')!]]) }, '"" cannot be a name'],
    ['half a character', { ...one, properties: new Map([['\uD800', 1]]) }, 'cannot be a name'],
    ['a large integer', { ...one, properties: new Map([['n', 2n ** 63n]]) }, 'has more than 64 bits'],
    [
      'a broken step',
      { ...one, optimizer: { step: 0.5, initialLearningRate: 1, states: new Map() } },
      'its step is 0.5',
    ],
  ] as [string, Checkpoint, string][])('cannot have %s', (_, checkpoint, problem) => {
    expect(() => encodeCheckpoint(checkpoint)).toThrow(problem)
  })

  it.each([
    ['identifier', 'ODTC', 'ORTM', 'its identifier (bytes 4 to 7) is "ORTM", not "ODTC"'],
    ['length of a shape', '\x02\0\0\0\0\0\0\0', '\x03\0\0\0\0\0\0\0', 'needs 12 bytes, but has 8'],
    ['text', 'w\0', '\xFF\0', 'is no UTF-8 text'],
  ])('with another %s is refused', async (_, from, to, problem) => {
    const bytes = edited(one, Buffer.from(from, 'latin1'), Buffer.from(to, 'latin1'))
    await expect(read(bytes)).rejects.toThrow(problem)
    await expect(read(bytes)).rejects.toMatchObject({ code: 'file' })
  })

  it('cannot train integers', async () => {
    const trained = new Map([['w', Tensor.from('int32', [1, 2])]])
    const bytes = encodeCheckpoint({ ...noParameters, trained })
    const problem = 'module_state.requires_grad_params[0] ("w") is trained, but of the type int32'
    await expect(read(bytes)).rejects.toThrow(problem)
  })

  it('of another version is refused, but for that of 1.15, whose layout is the same', async () => {
    const version = (number: number): Uint8Array => {
      const bytes = Buffer.from(readFileSync(`${folder}/mlp-l1/checkpoint`))
      expect(bytes.readInt32LE(16)).toBe(2)
      bytes.writeInt32LE(number, 16)
      return bytes
    }
    expect((await read(version(1))).trained.size).toBe(6)
    await expect(read(version(3))).rejects.toThrow('checkpoint is a checkpoint of version 3; readable are 1 and 2.')
  })

  it('before 1.15, a folder, is refused by name', async () => {
    const path = `${temporaryFolder()}/checkpoint`
    mkdirSync(path)
    writeFileSync(`${path}/paramtrain_tensors.pbseq`, '')
    await expect(readCheckpointFile(path)).rejects.toThrow(/before 1\.15 \(a folder with paramtrain_tensors\.pbseq\)/)
  })
})
