import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AutoTokenizer } from '../../src/auto/AutoTokenizer'
import { message, writeFloat, writeInteger, writeText } from '../../src/protobuf'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { filesInMemory } from './inMemory'

interface Case {
  readonly family: string
  readonly file: string
  readonly model: string
  readonly texts: Readonly<Record<string, unknown>>
  readonly class: string
  readonly size: number
  readonly special: number[]
  readonly input_ids: number[][]
  readonly pair: Record<string, number[]>
  readonly error?: string
}

// SentencePiece models without a tokenizer.json, and what Python's AutoTokenizer (transformers 5.24) makes of them.
const { texts, cases } = JSON.parse(
  readFileSync(new URL('../fixtures/tokenizers/sentencePieces.json', import.meta.url), 'utf8'),
) as { texts: string[]; cases: Case[] }

const bytesOf = ({ model }: Case): Uint8Array => new Uint8Array(Buffer.from(model, 'base64'))

function load(one: Case, bytes = bytesOf(one), name = one.file): Promise<Tokenizer> {
  const files = Object.fromEntries(Object.entries(one.texts).map(([file, value]) => [file, JSON.stringify(value)]))
  return loadTokenizer('folder', filesInMemory(new Map([['folder', files]]), { [name]: bytes }))
}

const named = cases.map((one, index) => ({ ...one, title: `${index}: ${one.family} ${JSON.stringify(one.texts)}` }))
const readable = named.filter(({ error }) => error === undefined)

it.each(readable)('$title has the ids of Python', async one => {
  const tokenizer = await load(one)
  expect(tokenizer.tokenizerClass).toBe(one.class)
  expect(tokenizer(texts).input_ids).toEqual(one.input_ids)
  expect(Object.entries(tokenizer(texts[0]!, texts[4]))).toEqual(Object.entries(one.pair))
  expect(tokenizer.getVocab().size).toBe(one.size)
  expect(tokenizer.allSpecialIds.toSorted((a, b) => a - b)).toEqual(one.special)
})

it.each(readable)('$title is the same after save and load', async one => {
  const tokenizer = await load(one)
  const saved = tokenizer.files()
  const again = await loadTokenizer('saved', filesInMemory(new Map([['saved', saved]])))
  expect(again(texts)).toEqual(tokenizer(texts))
  expect(again.files()).toEqual(saved)
})

it('refuses what Python cannot make, and says which piece is missing', async () => {
  const failing = named.filter(({ error }) => error !== undefined)
  await expect(load(failing[0]!)).rejects.toThrow(
    'folder/spiece.model has no piece [CLS], the cls_token of AlbertTokenizer. ' +
      'Name the right one as cls_token in tokenizer_config.json.',
  )
  await expect(load(failing[1]!)).rejects.toThrow(/sentencepiece\.bpe\.model is a model of byte-pair encoding; Camem/)
})

it('a model under another name is named, with the file that is missing and the line that writes it', async () => {
  await expect(load(cases[0]!, undefined, 'spm.model')).rejects.toThrow(
    'folder has the SentencePiece model spm.model, but no tokenizer.json: AlbertTokenizer needs tokenizer.json or ' +
      'spiece.model; the folder has config.json, spm.model, tokenizer_config.json. In Python, ' +
      "AutoTokenizer.from_pretrained('folder').save_pretrained('folder') writes it; or call the file spiece.model.",
  )
  const unknown = { ...cases[0]!, texts: { 'config.json': { model_type: 't5' } } }
  await expect(load(unknown)).rejects.toThrow(/has the SentencePiece model spiece\.model, but no tokenizer\.json/)
})

it('reads a model from the disk', async () => {
  const one = cases[0]!
  const folder = temporaryFolder()
  writeFileSync(join(folder, one.file), bytesOf(one))
  for (const [name, value] of Object.entries(one.texts)) writeFileSync(join(folder, name), JSON.stringify(value))
  expect((await AutoTokenizer.fromPretrained(folder))(texts).input_ids).toEqual(one.input_ids)
})

it('a damaged model is a tokenizer, or an error that names its file', async () => {
  const one = cases[0]!
  let refused = 0
  for (let place = 0; place < 400; place++) {
    const bytes = bytesOf(one)
    if (place % 2 === 0) bytes[place * 3] = (bytes[place * 3]! + 1 + place) & 0xff
    const damaged = place % 2 === 0 ? bytes : bytes.subarray(0, place * 4)
    const outcome = await load(one, damaged).then(
      tokenizer => void tokenizer(texts),
      (error: unknown) => error as Error,
    )
    if (outcome === undefined) continue
    refused++
    expect(outcome.name, `${place}: ${outcome.stack}`).toBe('TrainerError')
    expect(outcome.message).toMatch(/folder\/(spiece\.model|tokenizer\.json)/)
  }
  expect(refused).toBeGreaterThan(150)
})

it('a pointer of Git LFS is no model', async () => {
  const pointer = new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 760289\n')
  await expect(load(cases[0]!, pointer)).rejects.toThrow(
    'folder/spiece.model (68 bytes) is no SentencePiece model: it does not begin with a piece. Fetch the file again; ' +
      'where Git LFS keeps it, `git lfs pull` fetches the file itself.',
  )
  await expect(load(cases[0]!, new Uint8Array())).rejects.toThrow(/\(0 bytes\) is no SentencePiece model/)
})

it('a score that is none, and an unknown piece that is not there, are told of the model itself', async () => {
  const piece = (score: number): Uint8Array =>
    message(writer => {
      writer.writeTag(1, 2)
      writer.writeBytes(message(own => (writeText(own, 1, `▁${score}`), writeFloat(own, 2, score))))
    })
  const trainer = (unknown: number): Uint8Array =>
    message(writer => {
      writer.writeTag(2, 2)
      writer.writeBytes(message(own => writeInteger(own, 40, unknown)))
    })
  const of = (...parts: Uint8Array[]): Promise<Tokenizer> => load(cases[0]!, new Uint8Array(Buffer.concat(parts)))
  await expect(of(piece(-1), piece(NaN))).rejects.toThrow(/model folder\/spiece\.model .* score of piece 1 is NaN/)
  for (const unknown of [-1, 2])
    await expect(of(piece(-1), piece(-2), trainer(unknown))).rejects.toThrow(
      `piece ${unknown} stands for what is unknown, but it has 2 pieces. Fetch the file again.`,
    )
})
