import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { textFiles } from '../../src/files/textFiles'
import type { TokenizerOptions } from '../../src/tokenizers/options'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'
import { truncatedLengths } from '../../src/tokenizers/truncation'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tokenizerOf } from './inMemory'

interface Case {
  text: string | string[]
  text_pair: string | string[] | null
  options: Record<string, unknown>
  result: Record<string, unknown>
}
interface Oracle {
  about: Record<string, unknown>
  decoded: { ids: number[]; all: string; words: string }
  cases: Case[]
}

const fixtures = fileURLToPath(new URL('../fixtures/data', import.meta.url))
const reference = fileURLToPath(new URL('../../../shared/reference/tokenizer/bert', import.meta.url))
const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

function run(tokenizer: Tokenizer, { text, text_pair, options }: Case): Record<string, unknown> {
  const written = Object.fromEntries(
    Object.entries(options).map(([name, value]) => [camel(name), value]),
  ) as TokenizerOptions
  try {
    return tokenizer(text, text_pair, written)
  } catch (error) {
    return { error: (error as Error).name }
  }
}

function expectCases(tokenizer: Tokenizer, cases: readonly Case[]): void {
  for (const [index, one] of cases.entries()) {
    const result = run(tokenizer, one)
    if ('error' in one.result)
      expect(result, `case ${index}: ${JSON.stringify(one.options)}`).toEqual({ error: 'TrainerError' })
    else
      expect(Object.entries(result), `case ${index}: ${JSON.stringify(one.options)}`).toEqual(
        Object.entries(one.result),
      )
  }
}

describe.each(['bert-tiny', 'roberta-tiny'])('%s, of its vocabulary files', folder => {
  const oracle = JSON.parse(readFileSync(join(fixtures, folder, 'cases.json'), 'utf8')) as Oracle
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = await loadTokenizer(join(fixtures, folder), textFiles)
  })

  it('returns what Python returns, errors included', () => expectCases(tokenizer, oracle.cases))

  it('has the special tokens, inputs and size that Python says', () => {
    const { about } = oracle
    const said = Object.fromEntries(
      Object.keys(about).map(name => [name, (tokenizer as unknown as Record<string, unknown>)[camel(name)]]),
    )
    expect(said).toEqual(about)
  })

  it('decodes', () => {
    expect(tokenizer.decode(oracle.decoded.ids)).toBe(oracle.decoded.all)
    expect(tokenizer.batchDecode([oracle.decoded.ids], { skipSpecialTokens: true })).toEqual([oracle.decoded.words])
  })

  it('is the same after save and load', async () => {
    const out = temporaryFolder()
    tokenizer.paddingSide = 'left'
    await tokenizer.save(join(out, 'deep', 'er'))
    tokenizer.paddingSide = 'right'
    const again = await loadTokenizer(join(out, 'deep', 'er'), textFiles)
    expect([again.paddingSide, again.modelMaxLength, again.tokenizerClass, again.modelInputNames]).toEqual([
      'left',
      tokenizer.modelMaxLength,
      tokenizer.tokenizerClass,
      tokenizer.modelInputNames,
    ])
    again.paddingSide = 'right'
    expectCases(again, oracle.cases)
  })
})

describe('the oracle of the reference folder', () => {
  it.skipIf(!existsSync(reference))(
    `all cases of tokenizer/bert are equal (skipped without ${'../shared/reference'})`,
    async () => {
      const { cases } = JSON.parse(readFileSync(join(reference, 'cases.json'), 'utf8')) as Oracle
      expect(cases.length).toBeGreaterThan(200)
      expectCases(await loadTokenizer(reference, textFiles), cases)
    },
  )
})

describe('truncatedLengths', () => {
  // the cases of the Rust library's own tests, with 7 tokens for both
  it.each([
    [0, 0, 0, 0],
    [0, 2, 0, 2],
    [0, 4, 0, 4],
    [0, 8, 0, 7],
    [2, 0, 2, 0],
    [2, 2, 2, 2],
    [2, 4, 2, 4],
    [2, 8, 2, 5],
    [4, 0, 4, 0],
    [4, 2, 4, 2],
    [4, 4, 3, 4],
    [4, 8, 3, 4],
    [8, 0, 7, 0],
    [8, 2, 5, 2],
    [8, 4, 4, 3],
    [8, 8, 3, 4],
  ])('cuts %i and %i to %i and %i', (first, second, a, b) => {
    expect(truncatedLengths(first, second, 7, 'longest_first')).toEqual([a, b])
  })
})

describe('what the tokenizer does with its arguments', () => {
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = await loadTokenizer(join(fixtures, 'bert-tiny'), textFiles)
  })

  it('takes options after one text as well as after a pair', () => {
    expect(tokenizer('the cat sat', { maxLength: 4, truncation: true })).toEqual(
      tokenizer('the cat sat', undefined, { maxLength: 4, truncation: true }),
    )
    expect(tokenizer('the cat sat', { maxLength: 4, truncation: true }).input_ids).toHaveLength(4)
  })

  it('truncates to modelMaxLength, which can be set', () => {
    const long = 'the cat sat '.repeat(20)
    expect(tokenizer(long, { truncation: true }).input_ids).toHaveLength(20)
    tokenizer.modelMaxLength = 9
    expect(tokenizer(long, { truncation: true }).input_ids).toHaveLength(9)
    tokenizer.modelMaxLength = 20
  })

  it.each<[string, () => unknown, RegExp]>([
    [
      'a misspelt option',
      () => tokenizer('a', { trucation: true } as object),
      /no option "trucation".*Did you mean truncation\?/,
    ],
    ['a snake_case option', () => tokenizer('a', { max_length: 3 } as object), /Did you mean maxLength\?/],
    [
      'a strategy',
      () => tokenizer('a', { truncation: 'longest' as 'longest_first' }),
      /truncation is 'longest'.*longest_first, only_first/,
    ],
    ['a side', () => tokenizer('a', { paddingSide: 'up' as 'left' }), /'left' or 'right'/],
    ['null in a batch', () => tokenizer(['a', null]), /Text 1 of the batch is null.*typeof row\.text === 'string'/],
    ['a number', () => tokenizer([7]), /the number 7.*String/],
    ['a column that does not exist', () => tokenizer(undefined), /undefined.*correct the name/],
    ['one pair for many texts', () => tokenizer(['a', 'b'], 'c' as unknown as string[]), /batch of 2 texts/],
    ['too few pairs', () => tokenizer(['a', 'b'], ['c']), /2 first texts, but 1 second/],
  ])('refuses %s', (_, call, message) => expect(call).toThrow(message))

  it('finds tokens and ids', () => {
    expect(tokenizer.tokenize('the cat', undefined, { addSpecialTokens: true })).toEqual([
      '[CLS]',
      'the',
      'cat',
      '[SEP]',
    ])
    expect(tokenizer.convertTokensToIds(['[CLS]', 'nosuchtoken'])).toEqual([2, 1])
    expect(tokenizer.convertIdsToTokens(2)).toBe('[CLS]')
    expect(tokenizer.getVocab().get('[SEP]')).toBe(3)
  })
})

describe('pad', () => {
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = await loadTokenizer(join(fixtures, 'bert-tiny'), textFiles)
  })
  const examples = [
    { input_ids: [2, 7, 3], label: 1 },
    { input_ids: Int32Array.of(2, 3), label: 0 },
  ]

  it('pads the main input and makes the mask', () => {
    expect(tokenizer.pad(examples)).toEqual({
      input_ids: [
        [2, 7, 3],
        [2, 3, 0],
      ],
      label: [1, 0],
      attention_mask: [
        [1, 1, 1],
        [1, 1, 0],
      ],
    })
  })

  it('pads to a multiple, to a length, on the left, or not at all', () => {
    expect(tokenizer.pad(examples, { padToMultipleOf: 4 })['input_ids']).toEqual([
      [2, 7, 3, 0],
      [2, 3, 0, 0],
    ])
    expect(
      tokenizer.pad(examples, { padding: 'max_length', maxLength: 5, paddingSide: 'left' })['attention_mask'],
    ).toEqual([
      [0, 0, 1, 1, 1],
      [0, 0, 0, 1, 1],
    ])
    expect(tokenizer.pad(examples, { padding: false })['input_ids']).toEqual([
      [2, 7, 3],
      [2, 3],
    ])
  })

  it('names what is missing', () => {
    expect(() => tokenizer.pad([{ text: 'a' }])).toThrow(/no 'input_ids'; they have text.*Tokenize/)
    expect(() => tokenizer.pad([examples[0]!, { label: 1 }])).toThrow(/Row 1 of the batch has no 'input_ids'/)
  })
})

describe('the inputs that a folder asks for', () => {
  const folder = temporaryFolder()
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))

  it.each([
    ['bert', ['input_ids', 'token_type_ids', 'attention_mask']],
    ['electra', ['input_ids', 'token_type_ids', 'attention_mask']],
    ['distilbert', ['input_ids', 'attention_mask']],
  ])('%s, by its config.json alone', async (kind, inputs) => {
    write('vocab.txt', readFileSync(join(fixtures, 'bert-tiny', 'vocab.txt'), 'utf8'))
    write('config.json', { model_type: kind })
    const tokenizer = await loadTokenizer(folder, textFiles)
    expect(Object.keys(tokenizer('the cat'))).toEqual(inputs)
    expect(tokenizer.modelMaxLength).toBe(Infinity)
  })

  it('applies model_input_names, special_tokens_map.json and do_lower_case', async () => {
    write('vocab.txt', '[PAD]\n[UNK]\n<cls>\n<sep>\nThe\nthe\n')
    write('tokenizer_config.json', {
      tokenizer_class: 'BertTokenizerFast',
      model_input_names: ['input_ids'],
      do_lower_case: false,
    })
    write('special_tokens_map.json', { cls_token: '<cls>', sep_token: { content: '<sep>', lstrip: true } })
    const tokenizer = await loadTokenizer(folder, textFiles)
    expect(tokenizer('The the <sep>')).toEqual({ input_ids: [2, 4, 5, 3, 3] })
    expect(tokenizer.maskTokenId).toBeUndefined()
  })

  it('has the inputs and special tokens of the base class where no file names a class, as in Python', async () => {
    const folder = join(import.meta.dirname, '../../examples/data/tokenizer')
    const json = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as unknown
    const tokenizer = await tokenizerOf(json, {})
    // transformers 5.24: AutoTokenizer of a folder with this file alone
    expect(tokenizer('a fine film', 'x')).toEqual({
      input_ids: [101, 1037, 2986, 2143, 102, 1060, 102],
      attention_mask: [1, 1, 1, 1, 1, 1, 1],
    })
    expect([tokenizer.padToken, tokenizer.clsToken]).toEqual([undefined, undefined])
  })

  it('says what is missing and what the folder has', async () => {
    rmSync(join(folder, 'vocab.txt'))
    await expect(loadTokenizer(folder, textFiles)).rejects.toThrow(
      /needs tokenizer\.json or vocab\.txt; the folder has config\.json/,
    )
    await expect(loadTokenizer(join(folder, 'nowhere'), textFiles)).rejects.toThrow(/the folder does not exist/)
    write('tokenizer.json', '{ "model": ')
    await expect(loadTokenizer(folder, textFiles)).rejects.toThrow(/tokenizer\.json is not valid JSON/)
  })
})
