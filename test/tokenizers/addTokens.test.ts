import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { growingTokenizer, type TokenToAdd } from '../../src/tokenizers/addTokens'
import { readTokenizerFiles, type TokenizerFiles } from '../../src/tokenizers/files'
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

class CountingMap extends Map<string, number> {
  lookups = 0

  override get(token: string): number | undefined {
    this.lookups++
    return super.get(token)
  }
}

/** The files of the first case, with a vocabulary that counts how often it is asked. */
async function countingFiles(): Promise<{ files: TokenizerFiles; ids: CountingMap }> {
  const files = await readTokenizerFiles('folder', filesInMemory(new Map([['folder', cases[0]!.files]])), {})
  const ids = new CountingMap(files.vocabulary.ids)
  return { files: { ...files, vocabulary: { ...files.vocabulary, ids } }, ids }
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

it('has no more work with tokens one by one than with all at once', async () => {
  const tokens = Array.from({ length: 200 }, (_, i) => `<new ${i}>`)
  const lookups: number[] = []
  for (const calls of [tokens, [tokens]]) {
    const { files, ids } = await countingFiles()
    const { model, addTokens } = growingTokenizer(files)
    const before = ids.lookups
    for (const call of calls) addTokens(call)
    expect(ids.lookups).toBe(before)
    expect(model.encode('the <new 199>')).toEqual([5, ids.size + 199])
    expect(model.vocabulary().size).toBe(ids.size + 200)
    lookups.push(ids.lookups - before)
  }
  expect(lookups[0]).toBe(lookups[1])
})

it('adds tokens one by one as all at once, special ones and others in turn', async () => {
  const [one, other] = [await load(cases[0]!), await load(cases[0]!)]
  const calls = ['a', 'b', 'a', 'c', 'b'].map(
    (content, index) => [content, { specialTokens: index % 2 === 1 }] as const,
  )
  for (const [content, options] of calls) {
    one.addTokens(content, options)
    other.addTokens(content, options)
    expect(other.files()).not.toEqual({}) // asked for in between
  }
  expect(Object.values(one.files()).map(text => JSON.parse(text) as unknown)).toEqual(
    Object.values(other.files()).map(text => JSON.parse(text) as unknown),
  )
})
