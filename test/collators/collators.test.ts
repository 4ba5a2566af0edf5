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

describe('options of padding', () => {
  const examples = [{ input_ids: [2, 5, 3] }, { input_ids: [2, 5, 6, 5, 3] }]

  // transformers 5.24: tokenizer.pad(examples, …)["input_ids"] has rows of these lengths
  it.each<[object, number[]]>([
    [{}, [5, 5]],
    [{ padding: true }, [5, 5]],
    [{ padding: 'max_length', maxLength: 8 }, [8, 8]],
    [{ padding: false }, [3, 5]],
    [{ padding: 'do_not_pad' }, [3, 5]],
    [{ padding: 'longest', maxLength: 2 }, [5, 5]],
    [{ padToMultipleOf: 4 }, [8, 8]],
    [{ padToMultipleOf: null, maxLength: null }, [5, 5]],
    [{ padding: 'max_length', maxLength: 5, padToMultipleOf: 4 }, [8, 8]],
    [{ padding: 'max_length', maxLength: 0 }, [3, 5]],
  ])('%j are those of Python', (options, lengths) => {
    expect(tokenizer.pad(examples, options)['input_ids']!.map(row => (row as number[]).length)).toEqual(lengths)
    if (lengths[0] === lengths[1])
      expect(DataCollatorWithPadding(tokenizer, options)(examples)['input_ids']!.dims).toEqual([2, lengths[0]])
    else expect(() => DataCollatorWithPadding(tokenizer, options)(examples)).toThrow("'input_ids' of row 1")
  })

  it.each<[object, string]>([
    [{ padToMultipleOf: 0 }, 'padToMultipleOf is 0; a whole number from 1 was expected.'],
    [{ padToMultipleOf: 1.5 }, 'padToMultipleOf is 1.5; a whole number from 1 was expected.'],
    [{ padToMultipleOf: -8 }, 'padToMultipleOf is -8; a whole number from 1 was expected.'],
    [{ padToMultipleOf: '8' }, "padToMultipleOf is '8'; a whole number from 1 was expected."],
    [{ maxLength: -1 }, 'maxLength is -1; a whole number of tokens was expected.'],
    [{ maxLength: 2.5 }, 'maxLength is 2.5; a whole number of tokens was expected.'],
    [{ padding: 'maxlength' }, "padding is 'maxlength'; true, false, 'longest', 'max_length' or 'do_not_pad' was"],
    [{ padding: null }, 'padding is null; true, false,'],
  ])('%j are refused by pad, by the tokenizer and by the collator', (options, message) => {
    expect(() => tokenizer.pad(examples, options)).toThrow(message)
    expect(() => tokenizer('a text', { padding: true, ...options })).toThrow(message)
    expect(() => DataCollatorWithPadding(tokenizer, options)).toThrow(message)
  })

  it('are refused under names that do not exist', () => {
    const make = DataCollatorWithPadding as unknown as (...given: unknown[]) => unknown
    const unknown = 'DataCollatorWithPadding has no option "pad_to_multiple_of"; its options are padding, maxLength, '
    expect(() => make(tokenizer, { pad_to_multiple_of: 8 })).toThrow(`${unknown}padToMultipleOf. Did you mean padToM`)
    expect(() => make({ tokenizer, pad_to_multiple_of: 8 })).toThrow(unknown)
    expect(() => make(tokenizer, { returnTensors: 'np' })).toThrow('has no option "returnTensors"')
    expect(() => make(tokenizer, 'longest')).toThrow("takes its options as an object, not 'longest'.")
    expect(() => make({ tokenizer }, { padding: false })).toThrow('has no option "padding"')
    expect(() => make(tokenizer, {}, 'np')).toThrow("but was also given 'np'")
    expect(() => make()).toThrow('needs a tokenizer')
    expect(() => tokenizer.pad(examples, { paddingside: 'left' } as never)).toThrow('Did you mean paddingSide?')
    expect(() => tokenizer.pad(examples, { returnAttentionMask: 1 as never })).toThrow('returnAttentionMask is 1; true')
    expect(() => tokenizer.decode([2], { skipSpecial: true } as never)).toThrow('decode() has no option "skipSpecial"')
    expect(() => tokenizer.tokenize('a', undefined, { addSpecial: true } as never)).toThrow('tokenize() has no option')
    expect(() => (tokenizer as unknown as typeof make)('a', 'b', {}, 1)).toThrow('but was also given 1')
  })

  it('of collators that have none are refused', () => {
    const make = DefaultDataCollator as unknown as (...given: unknown[]) => unknown
    expect(() => make({ returnTensors: 'np' })).toThrow('has no options, but was also given { returnTensors }.')
    expect(() => defaultDataCollator([{ a: 1 }], 'np' as never)).toThrow("but was given 'np'. Leave it out")
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
