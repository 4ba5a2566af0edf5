import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { TokenToAdd } from '../../src/tokenizers/addTokens'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'
import { filesInMemory } from './inMemory'

interface State {
  readonly count: number
  readonly size: number
  readonly special: number[]
  readonly input_ids: number[][]
}

interface Case {
  readonly files: Record<string, string>
  /** The case of sentencePieces.json whose model is beside the files. */
  readonly pieces?: number
  readonly states: State[]
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/tokenizers/${name}`, import.meta.url), 'utf8'))

// What Python's add_tokens and add_special_tokens (transformers 5.24) do, one step after another.
const { texts, steps, cases } = read('addTokens.json') as {
  texts: string[]
  steps: { tokens: (string | TokenToAdd)[]; special: boolean }[]
  cases: Case[]
}
const models = (read('sentencePieces.json') as { cases: { file: string; model: string }[] }).cases

function load({ files, pieces }: Case): Promise<Tokenizer> {
  const model = pieces === undefined ? undefined : models[pieces]!
  const binaries = model && { [model.file]: new Uint8Array(Buffer.from(model.model, 'base64')) }
  return loadTokenizer('folder', filesInMemory(new Map([['folder', files]]), binaries))
}

const stateOf = (tokenizer: Tokenizer): Omit<State, 'count'> => ({
  size: tokenizer.length,
  special: tokenizer.allSpecialIds.toSorted((a, b) => a - b),
  input_ids: tokenizer(texts).input_ids,
})

it.each(cases.map((one, index) => ({ ...one, index })))('case $index: as in Python, also when saved', async one => {
  const tokenizer = await load(one)
  for (const [index, { tokens, special }] of steps.entries()) {
    const count = tokenizer.addTokens(tokens, { specialTokens: special })
    expect({ count, ...stateOf(tokenizer) }, `step ${index}`).toEqual(one.states[index])
    const again = await loadTokenizer('saved', filesInMemory(new Map([['saved', tokenizer.files()]])))
    expect(stateOf(again), `step ${index}, saved`).toEqual(stateOf(tokenizer))
  }
  expect(tokenizer.vocabSize).toBe((await load(one)).vocabSize)
})

it('knows what it has added, and refuses what is no token', async () => {
  const tokenizer = await load(cases[0]!)
  const size = tokenizer.getVocab().size
  expect(tokenizer.addTokens('<new>')).toBe(1)
  expect(tokenizer.addTokens('<new>')).toBe(0)
  expect(tokenizer.convertTokensToIds('<new>')).toBe(size)
  expect(tokenizer.length).toBe(size + 1)
  expect(tokenizer.convertIdsToTokens(size)).toBe('<new>')
  expect(tokenizer.decode([5, size], { skipSpecialTokens: true })).toBe('the <new>')
  tokenizer.addTokens('<s>', { specialTokens: true })
  expect(tokenizer.decode([5, size + 1], { skipSpecialTokens: true })).toBe('the')
  const untyped = tokenizer as unknown as { addTokens(...given: unknown[]): unknown }
  expect(() => untyped.addTokens([7])).toThrow(
    "addTokens() takes texts, or objects with content, not 7. Write addTokens(['<new>']).",
  )
  expect(() => untyped.addTokens('x', { special_tokens: true })).toThrow(/Did you mean specialTokens\?/)
  expect(() => untyped.addTokens({ content: 'x', single_word: true })).toThrow(/Did you mean singleWord\?/)
})

it('is quick for tokens one by one, which texts have from then on', async () => {
  const tokenizer = await load(cases[0]!)
  const size = tokenizer.getVocab().size
  for (let i = 0; i < 200; i++) tokenizer.addTokens(`<new ${i}>`)
  expect(tokenizer.tokenize('the <new 199>')).toEqual(['the', '<new 199>'])
  expect(tokenizer.getVocab().size).toBe(size + 200)
})
