import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readCheckpoint } from '../../src/artifacts/readCheckpoint'
import { TrainingArtifacts } from '../../src/artifacts/TrainingArtifacts'
import { TrainerError } from '../../src/errors'
import { evaluationGraph } from '../../src/programs/evaluation'
import { trainingProgram } from '../../src/programs/training'
import { wireTypes } from '../../src/protobuf'
import { MersenneTwister } from '../../src/random'
import { temporaryFolder } from '../helpers/temporaryFolder'

const source = fileURLToPath(new URL('../fixtures/onnx/artifacts/mlp-l1', import.meta.url))
const graphs = ['training_model.onnx', 'eval_model.onnx', 'optimizer_model.onnx']
const files = [...graphs, 'checkpoint']

/**
 * What fields of a message are, by their numbers: 'name' for what others refer to and for types, a message, or undefined
 * for values and labels.
 */
const parts: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 8: 'opset', 25: 'function' },
  opset: {},
  graph: { 1: 'node', 5: 'tensor', 11: 'input', 12: 'input', 13: 'stated' },
  node: { 1: 'name', 2: 'name', 4: 'name', 5: 'attribute', 7: 'name' },
  attribute: { 1: 'name', 5: 'tensor', 20: 'name' },
  tensor: { 2: 'name', 8: 'name' },
  input: { 1: 'name', 2: 'type' },
  stated: { 2: 'type' },
  type: { 1: 'tensorType', 4: 'element' },
  element: { 1: 'type' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'dimension' },
  dimension: {},
}

/** Marks the bytes of a message that are structure: numbers of fields, lengths, names and types. */
function markStructure(bytes: Uint8Array, from: number, to: number, kind: string, marks: Uint8Array): void {
  let at = from
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < to) {
    const start = at
    const tag = varint()
    const wire = tag % 8
    const part = parts[kind]![Math.floor(tag / 8)]
    const length =
      wire === wireTypes.bytes ? varint() : wire === wireTypes.fixed32 ? 4 : wire === wireTypes.fixed64 ? 8 : 0
    marks.fill(1, start, at)
    const value = at
    if (wire === wireTypes.varint) varint()
    else at += length
    if (part === 'name') marks.fill(1, value, at)
    else if (part !== undefined) markStructure(bytes, value, at, part, marks)
  }
}

/** Which bytes of a file are structure. */
async function structureOf(file: string, bytes: Uint8Array): Promise<Uint8Array> {
  const marks = new Uint8Array(bytes.length)
  if (file !== 'checkpoint') markStructure(bytes, 0, bytes.length, 'model', marks)
  else {
    marks.fill(1)
    const { trained } = await readCheckpoint(bytes, { file })
    for (const { data } of trained.values()) {
      expect(data.buffer).toBe(bytes.buffer)
      marks.fill(0, data.byteOffset, data.byteOffset + data.byteLength)
    }
  }
  return marks
}

/** Reads artifacts as a Trainer does, up to the programs that it runs. */
async function load(folder: string): Promise<void> {
  const { definition } = await TrainingArtifacts.fromPretrained(folder)
  const layout = definition.layout({ rows: 4, fewShapes: false })
  trainingProgram(definition, layout, 'as given', {})
  evaluationGraph(definition, layout, 'as given', {})
}

/** What comes of artifacts with one file replaced: its error, or undefined. */
async function outcome(folder: string, file: string, bytes: Uint8Array): Promise<unknown> {
  writeFileSync(`${folder}/${file}`, bytes)
  return load(folder).then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** A folder with the artifacts. */
function copied(): string {
  const folder = temporaryFolder()
  for (const name of files) copyFileSync(`${source}/${name}`, `${folder}/${name}`)
  return folder
}

describe('damaged artifacts', () => {
  it.each(files)('with a damaged %s are refused by its name, or differ in values alone', async file => {
    const folder = copied()
    await load(folder)
    const bytes = Uint8Array.from(readFileSync(`${source}/${file}`))
    const structure = await structureOf(file, bytes)
    const random = new MersenneTwister(files.indexOf(file) + 1)
    let refused = 0
    for (let i = 0; i < 50; i++) {
      const at = Math.floor(random.uniform() * bytes.length)
      const isCut = i % 2 === 0
      const damaged = isCut ? bytes.slice(0, at) : bytes.slice()
      if (!isCut) damaged[at]! ^= 1 << Math.floor(random.uniform() * 8)
      const error = await outcome(folder, file, damaged)
      const place = `${isCut ? 'cut at' : 'flipped'} ${at}`
      if (error === undefined) expect([place, isCut, structure[at]]).toEqual([place, false, 0])
      else {
        refused++
        expect(error, place).toBeInstanceOf(TrainerError)
        expect((error as TrainerError).message, place).toContain(`${folder}/${file}`)
        expect(['file', 'graph'], place).toContain((error as TrainerError).code)
      }
    }
    expect(refused).toBeGreaterThan(25)
  })

  it('are found out wherever a byte of the structure of a checkpoint is changed, or the file is cut', async () => {
    const bytes = Uint8Array.from(readFileSync(`${source}/checkpoint`))
    const structure = await structureOf('checkpoint', bytes)
    const isRead = async (changed: Uint8Array): Promise<boolean> => {
      try {
        await readCheckpoint(changed, { file: 'checkpoint' })
        return true
      } catch (error) {
        expect(error).toBeInstanceOf(TrainerError)
        return false
      }
    }
    const names = [...(await readCheckpoint(bytes, { file: '' })).trained.keys()]
    const isName = (at: number): boolean =>
      names.some(name =>
        Buffer.from(bytes)
          .subarray(Math.max(0, at - 8), at + 9)
          .includes(name),
      )
    for (let at = 0; at < bytes.length; at++) {
      expect(await isRead(bytes.subarray(0, at))).toBe(false)
      if (structure[at] === 0 || isName(at)) continue
      for (const bit of [1, 16, 128]) {
        const changed = bytes.slice()
        changed[at]! ^= bit
        expect([at, bit, await isRead(changed)]).toEqual([at, bit, false])
      }
    }
  })

  it.each([
    ['a length of 2 GiB', [0x3a, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['a field that no model has', [0xd2, 0x03, 0x00]],
    ['a number without an end', [0x08, 0xff, 0xff, 0xff]],
  ])('take no memory by a number in the file: %s', async (_, appended) => {
    const folder = copied()
    const bytes = Buffer.concat([readFileSync(`${source}/eval_model.onnx`), Uint8Array.from(appended)])
    const error = await outcome(folder, 'eval_model.onnx', bytes)
    expect(error).toMatchObject({ code: 'file', message: expect.stringContaining('eval_model.onnx: The ONNX data is') })
  })
})
