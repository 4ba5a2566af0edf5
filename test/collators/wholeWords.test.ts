import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { AutoTokenizer, type Batch, DataCollatorForLanguageModeling, type Tokenizer } from '../../src/index'
import { groups } from '../helpers/wholeWords'

const folder = (name: string): string => fileURLToPath(new URL(`../fixtures/spans/${name}`, import.meta.url))

/** Words of texts by Python's tokenizers. */
interface Case {
  readonly text: string
  readonly input_ids: number[]
  readonly word_ids: (number | null)[]
  /** The tokens of each word that may be hidden. */
  readonly words: number[][]
}

const { words: cases } = JSON.parse(readFileSync(folder('cases.json'), 'utf8')) as { words: Record<string, Case[]> }
const load = (kind: string): Promise<Tokenizer> => AutoTokenizer.fromPretrained(folder(kind))
const table = (tensor?: Batch[string]): number[][] => tensor!.tolist() as number[][]

describe('whole words', () => {
  it.each([
    ['wordpiece', true],
    ['wordpiece', false],
    ['bytelevel', true],
    ['metaspace', true],
  ])('are chosen as a whole: %s, with a column of words: %s', async (kind, given) => {
    const tokenizer = await load(kind)
    for (const side of ['right', 'left'] as const) {
      tokenizer.paddingSide = side
      const collate = DataCollatorForLanguageModeling(tokenizer, { wholeWordMask: true, mlmProbability: 0.4 })
      const rows = cases[kind]!.map(({ text, input_ids, word_ids }) => {
        const row = tokenizer(text, { returnWordIds: given })
        expect(row).toMatchObject({ input_ids, ...(given && { word_ids }) })
        return row
      })
      const epochs = Array.from({ length: 60 }, (_, epoch) => table(collate(rows, undefined, epoch).labels))
      cases[kind]!.forEach(({ input_ids: ids, words }, row) => {
        const ownOf = (labels: number[]): number[] => (side === 'right' ? labels : labels.slice(-ids.length))
        expect(groups(epochs.map(labels => ownOf(labels[row]!))), cases[kind]![row]!.text).toEqual(words)
      })
    }
  })

  it('are hidden by the mask token alone, unless shares are given', async () => {
    const tokenizer = await load('wordpiece')
    const rows = cases.wordpiece!.map(({ input_ids }) => ({ input_ids }))
    const { input_ids: all, labels } = DataCollatorForLanguageModeling(tokenizer, {
      wholeWordMask: true,
      mlmProbability: 1,
    })(rows)
    cases.wordpiece!.forEach(({ input_ids: ids, words }, row) => {
      const hidden = new Set(words.flat())
      const expected = ids.map((id, token) => (hidden.has(token) ? tokenizer.maskTokenId : id))
      expect(table(all)[row]!.slice(0, ids.length)).toEqual(expected)
      expect(table(labels)[row]!.slice(0, ids.length)).toEqual(ids.map((id, i) => (hidden.has(i) ? id : -100)))
    })
    const shares = { maskReplaceProb: 0, randomReplaceProb: 0 }
    const kept = DataCollatorForLanguageModeling(tokenizer, { wholeWordMask: true, mlmProbability: 1, ...shares })(rows)
    expect(table(kept.input_ids)[0]!.slice(0, rows[0]!.input_ids.length)).toEqual(rows[0]!.input_ids)
  })

  it('of two texts, which are numbered alike, are two, and so are tokens of no word', async () => {
    const collate = DataCollatorForLanguageModeling(await load('bytelevel'), {
      wholeWordMask: true,
      mlmProbability: 0.5,
    })
    const row = { input_ids: [0, 50, 51, 2, 2, 52, 2, 53, 54], word_ids: [null, 0, 0, null, null, 0, null, null, null] }
    const epochs = Array.from({ length: 60 }, (_, epoch) => table(collate([row], [3], epoch).labels)[0]!)
    expect(groups(epochs)).toEqual([[1, 2], [5], [7], [8]])
  })

  it('are drawn by seed, epoch and row, whatever the batch and the side of its padding', async () => {
    const tokenizer = await load('wordpiece')
    const rows = cases.wordpiece!.map(({ input_ids }) => ({ input_ids }))
    const of = (options: object, batch: object[], indices: number[], epoch: number): number[] => {
      const collate = DataCollatorForLanguageModeling(tokenizer, {
        wholeWordMask: true,
        mlmProbability: 0.5,
        ...options,
      })
      return table(collate(batch as never, indices, epoch).labels)[0]!.filter(label => label !== -100)
    }
    const alone = of({}, [rows[1]!], [7], 2)
    expect(of({}, [rows[1]!, ...rows], [7, 0, 1, 2, 3, 4, 5, 6, 8], 2)).toEqual(alone)
    expect(of({}, [rows[1]!], [7], 3)).not.toEqual(alone)
    expect(of({ seed: 1 }, [rows[1]!], [7], 2)).not.toEqual(alone)
    tokenizer.paddingSide = 'left'
    expect(of({ padToMultipleOf: 64 }, [rows[1]!], [7], 2)).toEqual(alone)
  })

  it.each(['bytelevel', 'metaspace'])('cannot be known of %s tokens without their column', async kind => {
    const collate = DataCollatorForLanguageModeling(await load(kind), { wholeWordMask: true })
    expect(() => collate([{ input_ids: [0, 5, 2] }])).toThrow(/no column 'word_ids'.*returnWordIds: true/)
  })

  it.each([
    [[null, 0], /'word_ids' of row 4 of the dataset has 2 words, but the row has 3 tokens/],
    [[null, 0.5, null], /is 0\.5 for token 1; a whole number from 0/],
    ['none', /is 'none', not a list/],
  ])('are refused where the column has %j', async (word_ids, message) => {
    const collate = DataCollatorForLanguageModeling(await load('bytelevel'), { wholeWordMask: true })
    expect(() => collate([{ input_ids: [0, 5, 2], word_ids }], [4])).toThrow(message)
  })

  it('keep their column in a dataset, and leave it out of the batch', async () => {
    const tokenizer = await load('bytelevel')
    const row = { input_ids: [0, 5, 2], word_ids: [null, 0, null], offset_mapping: [[0, 0], [0, 1], [0, 0]] } // prettier-ignore
    const collate = DataCollatorForLanguageModeling(tokenizer, { wholeWordMask: true })
    expect(collate.columns).toEqual(['word_ids', 'special_tokens_mask'])
    expect(Object.keys(collate([row]))).toEqual(['input_ids', 'attention_mask', 'labels'])
    expect(Object.keys(DataCollatorForLanguageModeling(tokenizer)([row]))).toEqual(['input_ids', 'attention_mask', 'labels']) // prettier-ignore
  })
})
