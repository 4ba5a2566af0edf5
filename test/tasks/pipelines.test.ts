// pipelines on texts like those that people bring: what Python's give
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AggregationStrategy,
  type FillMaskPipeline,
  pipeline,
  setLogSink,
  type TokenClassificationPipeline,
} from '../../src/index'
import { closeTo } from './closeTo'
import { pathOf, read } from './support'

let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_level, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

/** Scores agree to 1e-4 at least. */
const digits = 5

describe.each(['bytelevel', 'metaspace'])('entities of a %s tokenizer', kind => {
  const { texts, words } = read<{ texts: string[]; words: string[][] }>('pipelineWords', 'texts.json')
  const expected = read<Record<string, Record<'texts' | 'words', Record<AggregationStrategy, unknown[]>>>>(
    'pipelineWords',
    'expected.json',
  )[kind]!

  const withPipeline = async (use: (ner: TokenClassificationPipeline) => Promise<void>): Promise<void> => {
    const ner = await pipeline('ner', pathOf('pipelineWords', kind), { threads: 1 })
    await use(ner).finally(() => ner.dispose())
  }

  it.each(['none', 'simple', 'first', 'average', 'max'] as const)('by the strategy %s', strategy =>
    withPipeline(async ner => {
      const options = { aggregationStrategy: strategy } as { aggregationStrategy: 'simple' }
      expect(await ner(texts, options)).toEqual(closeTo(expected.texts[strategy], digits))
      for (const [at, text] of texts.entries())
        expect(await ner(text, options)).toEqual(closeTo(expected.texts[strategy][at], digits))
      const inWords = { ...options, isSplitIntoWords: true } as const
      for (const [at, row] of words.entries()) {
        expect(await ner([row], inWords)).toEqual(closeTo(expected.words[strategy][at], digits))
        expect([await ner(row, inWords)]).toEqual(closeTo(expected.words[strategy][at], digits))
      }
    }),
  )
})

describe.each(['wordpiece', 'bytelevel'])('masks that a %s tokenizer writes', kind => {
  interface Call {
    readonly text: string
    readonly options: { readonly top_k?: number; readonly targets?: string[] }
  }
  const calls = read<Call[]>('fillMask', kind, 'calls.json')
  const bad = read<Call[]>('fillMask', kind, 'bad-calls.json')
  const expected = read<Record<string, ({ value: unknown; number: number } | { refuse: string })[]>>(
    'fillMask',
    'expected.json',
  )[kind]!

  const withPipeline = async (use: (fill: FillMaskPipeline) => Promise<void>): Promise<void> => {
    const fill = await pipeline('fill-mask', pathOf('fillMask', kind), { threads: 1 })
    await use(fill).finally(() => fill.dispose())
  }
  const ask = (fill: FillMaskPipeline, { text, options: { top_k: topK, targets } }: Call): Promise<unknown[]> =>
    fill(text, { ...(topK !== undefined && { topK }), ...(targets && { targets }) })

  it('are filled', () =>
    withPipeline(async fill => {
      for (const [at, call] of calls.entries()) {
        const wanted = expected[at]!
        if ('refuse' in wanted) {
          await expect(ask(fill, call)).rejects.toThrow(/mask token .* lies behind the limit of 64 tokens and was cut/)
          continue
        }
        const found = await ask(fill, call)
        expect(found).toHaveLength(wanted.number)
        if (typeof wanted.value !== 'string') expect(found, call.text).toEqual(closeTo(wanted.value, digits))
      }
    }))

  it('are told of where a target is no piece', () =>
    withPipeline(async fill => {
      await ask(fill, calls[3]!)
      expect(said).toContainEqual(
        expect.stringMatching(/^The target "zzzq" is no token of the vocabulary\. "z", its first piece, is scored/),
      )
    }))

  it('are refused where they cannot be filled', () =>
    withPipeline(async fill => {
      const refusals = [
        /there is no mask token \((\[MASK\]|<mask>)\) in the text/,
        /there is no mask token/,
        /targets is empty/,
        /topK is 0/,
        /Target 0 is empty/,
      ]
      for (const [at, call] of bad.entries()) await expect(ask(fill, call)).rejects.toThrow(refusals[at])
    }))
})
