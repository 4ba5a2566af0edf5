import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../examples/data')

interface TokenizerFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[]
  readonly model: { readonly vocab: Readonly<Record<string, number>> }
}

describe('the sentences of the quick start', () => {
  const rows = (split: string): { sentence: string; label: number }[] =>
    readFileSync(join(folder, 'sentiment', `${split}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { sentence: string; label: number })
  const train = rows('train')
  const validation = rows('validation')

  it('are those of the source, once each, 600 held out', () => {
    // 3 × 1,000 sentences of which 18 occur twice
    expect([train.length, validation.length]).toEqual([2382, 600])
    expect(new Set([...train, ...validation].map(row => row.sentence)).size).toBe(2982)
  })

  it('have a text and a label each, and both labels about equally often', () => {
    for (const row of [...train, ...validation]) {
      expect(row.sentence.trim()).not.toBe('')
      expect([0, 1]).toContain(row.label)
    }
    for (const part of [train, validation]) {
      const share = part.filter(row => row.label === 1).length / part.length
      expect(Math.abs(share - 0.5)).toBeLessThan(0.03)
    }
  })

  it('name their source and licence', () => {
    expect(readFileSync(join(folder, 'sentiment/README.md'), 'utf8')).toMatch(
      /Kotzias[^]*10\.24432\/C57604[^]*CC BY 4\.0/,
    )
  })
})

describe('the tokenizer of the quick start', () => {
  const {
    model: { vocab },
    added_tokens: added,
  } = JSON.parse(readFileSync(join(folder, 'tokenizer/tokenizer.json'), 'utf8')) as TokenizerFile

  it('has the vocabulary of bert-base-uncased', () => {
    // ids as Google's vocab.txt has them (line number − 1)
    expect(Object.keys(vocab).length).toBe(30522)
    expect(new Set(Object.values(vocab)).size).toBe(30522)
    expect(Object.keys(vocab).filter(piece => piece.startsWith('##')).length).toBe(5828)
    expect(vocab).toMatchObject({
      '[PAD]': 0,
      '[unused0]': 1,
      '[UNK]': 100,
      '[CLS]': 101,
      '[SEP]': 102,
      '[MASK]': 103,
      the: 1996,
      hello: 7592,
      '##ing': 2075,
    })
  })

  it('knows its special tokens', () => {
    expect(added.map(({ id, content }) => [id, content])).toEqual([
      [0, '[PAD]'],
      [100, '[UNK]'],
      [101, '[CLS]'],
      [102, '[SEP]'],
      [103, '[MASK]'],
    ])
  })
})
