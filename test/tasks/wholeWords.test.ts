// words hidden as a whole, with three kinds of tokenizer
import { describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import {
  AutoModelForMaskedLM,
  AutoTokenizer,
  type BatchEncoding,
  DataCollatorForLanguageModeling,
  DataCollatorForTokenClassification,
  type Tokenizer,
} from '../../src/index'
import { groups } from '../helpers/wholeWords'
import { pathOf, predict, read } from './support'

interface Expected {
  readonly input_ids: number[][]
  /** The tokens of each word. */
  readonly groups: number[][][]
  readonly 'words chosen': number[][]
  readonly masked: Record<'input_ids' | 'attention_mask' | 'labels', Plain>
  readonly output: { readonly loss: Plain }
  readonly 'special_tokens_mask of the tokenizer call': number[][]
}

/** A row as the collator gives it. */
type Drawn = Record<'input_ids' | 'labels', number[]>

const expected = Object.entries(read<Record<string, Expected>>('wholeWords', 'expected.json'))

describe.each(expected)('whole words of %s', (kind, wanted) => {
  const load = (): Promise<Tokenizer> => AutoTokenizer.fromPretrained(pathOf('wholeWords', kind))
  const texts = read<string[]>('wholeWords', kind, 'texts.json')
  const rowsOf = (tokenizer: Tokenizer) =>
    texts.map(text => tokenizer(text, { returnWordIds: true, returnSpecialTokensMask: true }))

  /** What is drawn of a row in each epoch. */
  function draws(tokenizer: Tokenizer, row: object, index: number, epochs: number): Drawn[] {
    const collate = DataCollatorForLanguageModeling(tokenizer, { wholeWordMask: true, mlmProbability: 0.2 })
    return Array.from({ length: epochs }, (_, epoch) => {
      const batch = collate([row as BatchEncoding & Drawn], [index], epoch)
      const [input_ids, labels] = [batch.input_ids, batch.labels].map(tensor => (tensor!.tolist() as number[][])[0]!)
      return { input_ids, labels } as Drawn
    })
  }

  it('are those of Python, without what is special', async () => {
    const tokenizer = await load()
    const rows = rowsOf(tokenizer)
    expect(rows.map(row => row.input_ids)).toEqual(wanted.input_ids)
    expect(rows.map(row => row.special_tokens_mask)).toEqual(wanted['special_tokens_mask of the tokenizer call'])
    const found = rows.map((row, index) => groups(draws(tokenizer, row, index, 100).map(({ labels }) => labels)))
    expect(found).toEqual(wanted.groups)
  })

  it('make the batch that Python makes of the same choice, and its loss', async () => {
    const tokenizer = await load()
    const rows = rowsOf(tokenizer).map((row, index) => {
      const chosen = wanted['words chosen'][index]!.flatMap(word => wanted.groups[index]![word]!)
      // of many epochs one that happens to choose the same words
      return draws(tokenizer, row, index, 4000).find(({ labels }) =>
        labels.every((label, token) => (label !== -100) === chosen.includes(token)),
      )!
    })
    const pad = DataCollatorForTokenClassification(tokenizer)
    for (const [name, { shape, data }] of Object.entries(wanted.masked)) {
      expect(pad(rows)[name]!.dims).toEqual(shape)
      expect(Array.from(pad(rows)[name]!.data, Number), name).toEqual(data)
    }
    const model = await AutoModelForMaskedLM.fromPretrained(pathOf('wholeWords', kind))
    const { metrics } = await predict(model, rows, pad)
    expect(Math.abs(Number(metrics['test_loss']) / wanted.output.loss.data[0]! - 1)).toBeLessThan(1e-5)
  })
})
