import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { defaultDataCollator, DefaultDataCollator } from '../../src/collators/default'
import type { Batch } from '../../src/tensor'
import { DataCollatorWithPadding } from '../../src/collators/withPadding'
import { textFiles } from '../../src/files/textFiles'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'

const folder = fileURLToPath(new URL('../fixtures/data/bert-tiny', import.meta.url))
const plain = (batch: Batch): object =>
  Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, [tensor.dtype, tensor.tolist()]]))

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await loadTokenizer(folder, textFiles)
})

describe('DataCollatorWithPadding', () => {
  const examples = [
    { input_ids: [2, 7, 8, 3], token_type_ids: Uint8Array.of(0, 0, 1, 1), label: 1 },
    { input_ids: BigInt64Array.of(2n, 3n), token_type_ids: [0, 0], label: 0 },
  ]

  it('pads to the longest row, makes the mask, and renames label to labels', () => {
    expect(plain(DataCollatorWithPadding(tokenizer)(examples))).toEqual({
      input_ids: [
        'int32',
        [
          [2, 7, 8, 3],
          [2, 3, 0, 0],
        ],
      ],
      token_type_ids: [
        'int32',
        [
          [0, 0, 1, 1],
          [0, 0, 0, 0],
        ],
      ],
      labels: ['int32', [1, 0]],
      attention_mask: [
        'int32',
        [
          [1, 1, 1, 1],
          [1, 1, 0, 0],
        ],
      ],
    })
  })

  it('is made with or without new, with options, and with everything in one object', () => {
    const shapes = [
      new DataCollatorWithPadding(tokenizer, { padToMultipleOf: 8 }),
      DataCollatorWithPadding({ tokenizer, padding: 'max_length', maxLength: 6 }),
      new DataCollatorWithPadding({ tokenizer }),
    ].map(collate => collate(examples)['input_ids']!.dims)
    expect(shapes).toEqual([
      [2, 8],
      [2, 6],
      [2, 4],
    ])
    expect(() => DataCollatorWithPadding({} as Tokenizer)).toThrow(/needs a tokenizer/)
  })

  it('takes fractions as float32, and lists of labels', () => {
    const scored = DataCollatorWithPadding(tokenizer)([
      { input_ids: [2, 3], label: 0.25 },
      { input_ids: [3], label: 3 },
    ])
    expect(plain({ labels: scored['labels']! })).toEqual({ labels: ['float32', [0.25, 3]] })
    const many = DataCollatorWithPadding(tokenizer)([
      { input_ids: [2], label_ids: [true, false] },
      { input_ids: [3], label_ids: [1, 1] },
    ])
    expect(plain({ labels: many['labels']! })).toEqual({
      labels: [
        'int32',
        [
          [1, 0],
          [1, 1],
        ],
      ],
    })
    expect(
      DataCollatorWithPadding(tokenizer)([{ input_ids: [2], label: Float32Array.of(1, 0) }])['labels']!.dtype,
    ).toBe('float32')
  })

  it.each<[string, object[], RegExp]>([
    [
      'text left in',
      [
        { input_ids: [2], sentence: 'Hello' },
        { input_ids: [3], sentence: '' },
      ],
      /Column 'sentence' of row 70 of the dataset is text \("Hello"\).*removeColumns\('sentence'\)/,
    ],
    [
      'a text label',
      [{ input_ids: [2], label: 'pos' }],
      /Column 'label' of row 70.*text \("pos"\).*classEncodeColumn\('label'\)/,
    ],
    [
      'an empty cell',
      [
        { input_ids: [2], label: 1 },
        { input_ids: [3], label: null },
      ],
      /Column 'label' of row 71.*empty.*filter/,
    ],
    ['a missing column', [{ input_ids: [2], label: 1 }, { input_ids: [3] }], /Column 'label' is missing in row 71/],
    [
      'ragged columns',
      [
        { input_ids: [2], tags: [1] },
        { input_ids: [3], tags: [1, 2] },
      ],
      /Column 'tags' of row 71 .* has 2 values where 1 are in the first row.*padded/,
    ],
    [
      'what 32 bits do not hold',
      [
        { input_ids: [2], idx: 1 },
        { input_ids: [2], idx: 2 ** 40 },
      ],
      /Column 'idx' of row 71 .* 1099511627776.*32 bits/,
    ],
    ['no main input', [{ text: [1] }], /no 'input_ids'/],
    ['no rows', [], /without rows/],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => DataCollatorWithPadding(tokenizer)(wrong as Record<string, unknown>[], [70, 71])).toThrow(message)
  })
})

describe('defaultDataCollator', () => {
  it('stacks columns of numbers, leaves out text and empty ones, and renames label to labels', () => {
    const batch = defaultDataCollator([
      { input_ids: [1, 2], text: 'a', none: null, x: 1.5, label: true },
      { input_ids: [3, 4], text: 'b', none: null, x: 2, label: false },
    ])
    expect(plain(batch)).toEqual({
      input_ids: [
        'int32',
        [
          [1, 2],
          [3, 4],
        ],
      ],
      x: ['float32', [1.5, 2]],
      labels: ['int32', [1, 0]],
    })
  })

  it('pads nothing and refuses text labels', () => {
    expect(() => defaultDataCollator([{ input_ids: [1, 2] }, { input_ids: [3] }])).toThrow(
      /'input_ids' of row 1 of the batch has 1 values/,
    )
    expect(() => defaultDataCollator([{ label: 'pos' }])).toThrow(/classEncodeColumn/)
  })

  it("has Hugging Face's class beside it", () => {
    expect(new DefaultDataCollator()).toBe(defaultDataCollator)
  })
})
