import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AutoTokenizer,
  type Batch,
  DataCollatorForLanguageModeling,
  DataCollatorForMultipleChoice,
  DataCollatorForTokenClassification,
  DataCollatorWithFlattening,
  DataCollatorWithPadding,
  DefaultDataCollator,
  type Tensor,
  type Tokenizer,
} from '../../src/index'

const folder = fileURLToPath(new URL('../fixtures/data/bert-tiny', import.meta.url))
const plain = (batch: Batch): unknown =>
  Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, tensor.tolist()]))

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await AutoTokenizer.fromPretrained(folder)
})

// expected values: transformers 5.24's collators of these names, with the same tokenizer

describe('DataCollatorForTokenClassification', () => {
  const examples = [
    { input_ids: [2, 5, 6, 3], labels: [-100, 1, 0, -100] },
    { input_ids: [2, 7, 3], labels: [-100, 2, -100] },
  ]

  it.each([
    ['right', [2, 7, 3, 0], [1, 1, 1, 0], [-100, 2, -100, -100]],
    ['left', [0, 2, 7, 3], [0, 1, 1, 1], [-100, -100, 2, -100]],
  ] as const)('pads labels on the %s, as the tokens', async (side, ids, mask, labels) => {
    const own = await AutoTokenizer.fromPretrained(folder)
    own.paddingSide = side
    expect(plain(DataCollatorForTokenClassification(own, { padToMultipleOf: 4 })(examples))).toEqual({
      input_ids: [[2, 5, 6, 3], ids],
      attention_mask: [[1, 1, 1, 1], mask],
      labels: [[-100, 1, 0, -100], labels],
    })
  })

  it('names the row whose labels are not one for each token', () => {
    const collate = DataCollatorForTokenClassification(tokenizer)
    expect(() => collate([examples[0]!, { input_ids: [2, 3], labels: [1] }], [7, 8])).toThrow(
      /'labels' of row 8 of the dataset has 1 labels, but the row has 2 tokens/,
    )
    expect(() => collate([{ input_ids: [2], labels: 1 }])).toThrow(/is 1, not a list of labels/)
  })

  it('is what other collators name for such rows, padded or not', () => {
    const advice = /set dataCollator: DataCollatorForTokenClassification\(tokenizer\)/
    for (const collate of [DefaultDataCollator(), DataCollatorWithPadding(tokenizer)])
      expect(() => collate(examples)).toThrow(advice)
    const [labels, ids] = [[1, 0, 0, 1, 1], [2, 5, 3, 3, 3]] // prettier-ignore
    const rows = [[0], labels].map((given, row) => ({ input_ids: row ? ids : [2, 3], labels: given }))
    expect(() => DataCollatorWithPadding(tokenizer)(rows)).toThrow(/Several labels at once/)
  })

  it('says how names become numbers, and so do the others', () => {
    const named = [{ input_ids: [2, 5], labels: ['O', 'B-PER'] }]
    for (const make of [DataCollatorForTokenClassification, DataCollatorWithPadding])
      expect(() => make(tokenizer)(named)).toThrow(/map\(row => \(\{ labels: row\.labels\.map\(label => names\.indexOf/)
    const mixed = [{ input_ids: [2, 5], labels: [-100, 'B-PER'] }]
    expect(() => DataCollatorForTokenClassification(tokenizer)(mixed)).toThrow(
      /names for labels \("B-PER"\).*typeof label === 'string' \? names\.indexOf\(label\) : label/s,
    )
  })
})

describe('DefaultDataCollator', () => {
  it('names what pads rows of different lengths', () => {
    const rows = [{ input_ids: [2, 5, 3], label: 1 }, { input_ids: [2, 3], label: 0 }] // prettier-ignore
    expect(() => DefaultDataCollator()(rows)).toThrow(
      /'input_ids' of row 1.*give the Trainer processingClass: tokenizer and no dataCollator, or .*WithPadding\(tokenizer\)/s,
    )
    const choices = [{ input_ids: [[2, 5, 3], [2, 3, 3]], label: 1 }, { input_ids: [[2, 3], [2, 3]], label: 0 }] // prettier-ignore
    expect(() => DefaultDataCollator()(choices)).toThrow(/DataCollatorForMultipleChoice\(tokenizer\)/)
    const extra = rows.map(row => ({ ...row, marks: row.input_ids }))
    expect(() => DataCollatorWithPadding(tokenizer)(extra)).toThrow(/'marks' of row 1.*Only input_ids, .* are padded/s)
  })
})

describe('DataCollatorWithFlattening', () => {
  const examples = [
    { input_ids: [2, 5, 6, 3], labels: [-100, 1, 0, -100] },
    { input_ids: [2, 7, 3], labels: [4, 2, 3] },
  ]

  /** The real tokens of each column end to end, as Python's collator lays them. */
  const flat = (batch: Batch): Record<string, number[]> => {
    const isReal = batch.attention_mask!.tolist() as number[][]
    const columns = Object.entries(batch).filter(([name]) => name !== 'attention_mask')
    const realOf = (tensor: Tensor): number[] =>
      (tensor.tolist() as number[][]).flatMap((row, i) => row.filter((_, at) => isReal[i]![at] === 1))
    return Object.fromEntries(columns.map(([name, tensor]) => [name, realOf(tensor)]))
  }

  it("has the tokens, labels and positions of Python's, but keeps rows apart", () => {
    const input_ids = [2, 5, 6, 3, 2, 7, 3]
    expect(flat(DataCollatorWithFlattening()(examples))).toEqual({ input_ids, labels: [-100, 1, 0, -100, -100, 2, 3] })
    expect(flat(new DataCollatorWithFlattening({ separatorId: 7, positionIdsStart: 2 })(examples))).toEqual({
      input_ids,
      labels: [7, 1, 0, -100, 7, 2, 3],
      position_ids: [2, 3, 4, 5, 2, 3, 4],
    })
    expect(DataCollatorWithFlattening()(examples).input_ids!.dims).toEqual([2, 4])
  })

  it('refuses columns that describe one long row, and labels of rows', () => {
    for (const option of ['returnSeqIdx', 'returnFlashAttnKwargs'])
      expect(() => DataCollatorWithFlattening({ [option]: true })).toThrow(
        `${option} describes rows that lie end to end`,
      )
    expect(() => DataCollatorWithFlattening({ positionIdsStart: -1 })).toThrow('positionIdsStart is -1')
    expect(() => DataCollatorWithFlattening()([{ input_ids: [2, 3], label: 1 }])).toThrow(/is 1, not a list of labels/)
  })
})

describe('DataCollatorForMultipleChoice', () => {
  it('pads all choices to one length', () => {
    const batch = DataCollatorForMultipleChoice(tokenizer)([
      { input_ids: [[2, 5, 3], [2, 6, 7, 3]], label: 1 },
      { input_ids: [[2, 3], [2, 5, 6, 7, 3]], label: 0 },
    ]) // prettier-ignore
    expect(plain(batch)).toEqual({
      input_ids: [[[2, 5, 3, 0, 0], [2, 6, 7, 3, 0]], [[2, 3, 0, 0, 0], [2, 5, 6, 7, 3]]],
      attention_mask: [[[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1]]],
      labels: [1, 0],
    }) // prettier-ignore
  })

  it('names the row that has another number of choices, or none', () => {
    const collate = DataCollatorForMultipleChoice(tokenizer)
    const rows = [{ input_ids: [[2], [3]] }, { input_ids: [[2]] }]
    expect(() => collate(rows)).toThrow(/'input_ids' of row 1 of the batch has 1 choices, where the first row has 2/)
    expect(() => collate([{ input_ids: [2, 3] }])).toThrow(/has not a list for each choice/)
  })
})

describe('DataCollatorForLanguageModeling', () => {
  const text = Array.from({ length: 400 }, (_, i) => 5 + (i % 7))
  const examples = Array.from({ length: 20 }, () => ({ input_ids: [2, ...text, 3] }))

  it('hides 15 %, 80 % of them by the mask, 10 % by a random token; never special ones', () => {
    const { input_ids, labels } = DataCollatorForLanguageModeling(tokenizer)(examples)
    const given = examples.flatMap(row => row.input_ids)
    const counts = { chosen: 0, masked: 0, kept: 0 }
    given.forEach((id, at) => {
      const label = Number(labels!.data[at])
      const found = Number(input_ids!.data[at])
      if (label === -100) expect(found).toBe(id)
      else {
        expect(label).toBe(id)
        expect(id).toBeGreaterThan(3)
        counts.chosen++
        if (found === tokenizer.maskTokenId) counts.masked++
        else if (found === id) counts.kept++
      }
    })
    // three standard deviations of a binomial of 8,000, and of the 1,200 chosen
    expect(Math.abs(counts.chosen / 8000 - 0.15)).toBeLessThan(0.012)
    expect(Math.abs(counts.masked / counts.chosen - 0.8)).toBeLessThan(0.035)
    expect(counts.kept / counts.chosen).toBeGreaterThan(0.07)
  })

  it('draws random tokens from all, those that were added too, as Python', async () => {
    const grown = await AutoTokenizer.fromPretrained(folder)
    const { size } = grown.getVocab()
    grown.addTokens(Array.from({ length: 1000 }, (_, i) => `<${i}>`))
    const collate = DataCollatorForLanguageModeling(grown, {
      mlmProbability: 1,
      maskReplaceProb: 0,
      randomReplaceProb: 1,
    })
    const { data } = collate(examples).input_ids!
    expect(Array.from(data, Number).filter(id => id >= size).length).toBeGreaterThan(6000)
    expect(Array.from(data, Number).every(id => id < size + 1000)).toBe(true)
  })

  it('draws by seed, epoch and row, whatever the batch', () => {
    const collate = DataCollatorForLanguageModeling(tokenizer, { seed: 7 })
    const whole = collate(examples.slice(0, 3), [4, 5, 6], 2).labels!.tolist() as number[][]
    expect((collate([examples[0]!], [5], 2).labels!.tolist() as number[][])[0]).toEqual(whole[1])
    expect((collate([examples[0]!], [5], 3).labels!.tolist() as number[][])[0]).not.toEqual(whole[1])
    const other = DataCollatorForLanguageModeling(tokenizer, { seed: 8 })
    expect((other([examples[0]!], [5], 2).labels!.tolist() as number[][])[0]).not.toEqual(whole[1])
  })

  it.each([
    [{ mlm: false }, /guess hidden words/],
    [{ mlmProbability: 15 }, /mlmProbability is 15; a probability/],
    [{ maskReplaceProb: 0.8, randomReplaceProb: 0.3 }, /more than 1 together/],
    [{ seed: 0.5 }, /seed is 0\.5; a whole number/],
  ])('refuses %j', (options, message) => {
    expect(() => DataCollatorForLanguageModeling(tokenizer, options as object)).toThrow(message)
  })
})
