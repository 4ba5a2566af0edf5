import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { TrainerError } from '../../src/errors'
import { loadMetric } from '../../src/metrics/loadMetric'
import { Tensor } from '../../src/tensor'

type Numbers = number | 'nan' | Numbers[]

interface Case {
  metric: string
  several: boolean
  predictions: Numbers[]
  references: Numbers[]
  options: Record<string, unknown>
  result: Record<string, Numbers> | 'error'
}

const path = new URL('../fixtures/metrics/options.json', import.meta.url)
const cases = JSON.parse(readFileSync(path, 'utf8'), (_, value: unknown) => (value === 'nan' ? NaN : value)) as Case[]

function load({ metric, several }: Pick<Case, 'metric' | 'several'>) {
  return loadMetric(
    metric,
    several ? (metric.startsWith('m') && metric.length === 3 ? 'multilist' : 'multilabel') : undefined,
  )
}

function computed({ metric, several, predictions, references, options }: Case): unknown {
  try {
    return load({ metric, several }).compute({ predictions, references, ...options } as never)
  } catch (error) {
    if (error instanceof TrainerError) return 'error'
    throw error
  }
}

/** In batches of two rows, where the metric takes them. */
function streamed({ metric, several, predictions, references, options }: Case): unknown {
  const loaded = load({ metric, several })
  for (let i = 0; i < predictions.length; i += 2)
    loaded.addBatch({ predictions: predictions.slice(i, i + 2), references: references.slice(i, i + 2) } as never)
  return loaded.compute(options as never)
}

/** Of a p-value near 0 few digits are sure: 1 − r² is a difference. */
function expectClose(actual: unknown, expected: unknown, digits = 12): void {
  if (typeof expected === 'number' && !Number.isNaN(expected)) expect(actual).toBeCloseTo(expected, digits)
  else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object)).toEqual(Object.keys(expected))
    for (const [key, value] of Object.entries(expected))
      expectClose((actual as Record<string, unknown>)[key], value, /p-?value/.test(key) ? 7 : digits)
  } else expect(actual).toEqual(expected)
}

describe.each([...new Set(cases.map(({ metric }) => metric))])('scikit-learn and SciPy with options: %s', metric => {
  const own = cases.filter(one => one.metric === metric)
  it.each(own.map(one => [JSON.stringify(one), one] as const))('%s', (_, one) => {
    const result = computed(one)
    expectClose(result, one.result)
    if (one.result !== 'error') expect(streamed(one)).toEqual(result)
  })
})

describe('options of a metric', () => {
  const rows = { predictions: [0, 1, 1], references: [0, 1, 0] }
  it.each([
    ['f1', { averag: 'macro' }, 'compute() of f1 has no option "averag"; its options are predictions, references, ave'],
    ['f1', { zero_division: 0 }, 'Did you mean zeroDivision?'],
    ['f1', { average: 'none' }, `average should be 'binary', 'micro', 'macro', 'weighted', 'samples' or null`],
    ['f1', { posLabel: '1' }, 'posLabel should be the number of a class, not "1".'],
    ['f1', { labels: [] }, 'labels should be a list of numbers of classes'],
    ['f1', { zeroDivision: 0.5 }, "zeroDivision should be 0, 1, NaN or 'warn', not 0.5."],
    ['f1', { normalize: true }, 'has no option "normalize"'],
    ['accuracy', { normalize: 1 }, 'normalize should be true or false, not 1.'],
    ['accuracy', { average: 'macro' }, 'has no option "average"'],
    ['accuracy', { sampleWeight: 2 }, 'sampleWeight should be one number for each row, not 2.'],
    ['accuracy', { sampleWeight: [1, 2] }, 'sampleWeight has 2 numbers for 3 rows.'],
    ['accuracy', { sampleWeight: [0, 0, 0] }, 'sampleWeight has zeros alone.'],
    [
      'accuracy',
      { sampleWeight: [1, -2, 1] },
      'sampleWeight adds up to 0. Give one finite number for each row, in its',
    ],
    [
      'matthews_correlation',
      { average: 'macro' },
      "for several labels: loadMetric('matthews_correlation', 'multilabel')",
    ],
    ['mse', { squared: 'no' }, 'squared should be true or false, not "no".'],
    ['mse', { multioutput: 'variance_weighted' }, "multioutput should be 'uniform_average', 'raw_values' or a list"],
    ['mae', { squared: false }, 'compute() of mae has no option "squared"'],
    ['pearsonr', { return_pvalue: true }, 'Did you mean returnPvalue?'],
    ['spearmanr', { returnPvalue: 'yes' }, 'returnPvalue should be true or false, not "yes".'],
  ])('of %s: %j', (name, options, message) => {
    expect(() => loadMetric(name).compute({ ...rows, ...options } as never)).toThrow(message)
  })

  it('say what is wrong with weights of outputs', () => {
    const rows = { predictions: [[1, 2]], references: [[1, 1]] }
    const message = (multioutput: number[]) => () => loadMetric('mse', 'multilist').compute({ ...rows, multioutput })
    expect(message([1, -1])).toThrow('mse/multilist: multioutput is [1, -1], which adds up to 0. Give weights with')
    expect(message([1])).toThrow('multioutput is [1], but rows have 2 values each.')
  })

  it('can be given otherwise after an error: no batch is lost, and none counts twice', () => {
    const f1 = loadMetric('f1')
    f1.addBatch({ predictions: [0, 1], references: [0, 1] })
    f1.addBatch({ predictions: [2, 2], references: [2, 1] })
    expect(() => f1.compute()).toThrow("Pass average: 'macro'")
    // sklearn.metrics.f1_score([0, 1, 2, 1], [0, 1, 2, 2], average='macro')
    expect(f1.compute({ average: 'macro' })['f1']).toBeCloseTo((1 + 2 / 3 + 2 / 3) / 3, 12)
    const pair = { predictions: [0, 1, 2], references: [0, 1, 1] }
    expect(() => f1.compute(pair)).toThrow("Pass average: 'macro'")
    expect(() => f1.compute({ average: 'micro' })).toThrow('there are no rows')
    // sklearn.metrics.f1_score([0, 1, 1], [0, 1, 2], average='micro')
    expect(f1.compute({ ...pair, average: 'micro' })['f1']).toBeCloseTo(2 / 3, 12)
  })

  it('are none for GLUE, as in evaluate, and calls by position are refused', () => {
    expect(() => loadMetric('glue', 'mrpc').compute({ ...rows, average: 'macro' })).toThrow('no option "average"')
    const accuracy = loadMetric('accuracy') as unknown as Record<string, (...given: unknown[]) => unknown>
    expect(() => accuracy['compute']!([0, 1], [0, 1])).toThrow('compute() has no options, but was also given a list.')
    expect(() => accuracy['compute']!([0, 1])).toThrow('takes its options as an object, not a list.')
    expect(() => accuracy['addBatch']!()).toThrow('given nothing. Write addBatch({ predictions, references }).')
    expect(() => accuracy['addBatch']!({ prediction: [0], references: [0] })).toThrow('Did you mean predictions?')
  })

  it('may be tensors, typed arrays and BigInt where they are numbers', () => {
    const sampleWeight = Tensor.from('float32', [1, 2, 1])
    expect(loadMetric('accuracy').compute({ ...rows, sampleWeight })).toEqual({ accuracy: 0.75 })
    expect(loadMetric('f1').compute({ predictions: [0n, 1n], references: [0n, 1n], posLabel: 0n })).toEqual({ f1: 1 })
    const large = { predictions: [2n ** 60n], references: [2n ** 60n + 1n] }
    expect(() => loadMetric('accuracy').compute(large)).toThrow('Beyond 2⁵³ numbers are not exact')
  })
})

describe('several labels in a row', () => {
  const logits = [
    [1.5, -2],
    [-0.5, 3],
  ]
  const references = [
    [1, 0],
    [1, 1],
  ]
  const tensor = Tensor.from('float32', logits)

  it('has advice that works: the configuration, and a threshold instead of argmax', () => {
    const message = (call: () => unknown): string => {
      try {
        return JSON.stringify(call())
      } catch (error) {
        return (error as Error).message
      }
    }
    for (const predictions of [logits, tensor]) {
      const plain = message(() => loadMetric('f1').compute({ predictions, references }))
      expect(plain).toContain("write loadMetric('f1', 'multilabel')")
      const own = message(() => loadMetric('f1', 'multilabel').compute({ predictions, references, average: 'micro' }))
      expect(own).toContain('row 0 of the predictions is 1.5, not the number of a class. If these are logits')
      const glue = message(() => loadMetric('glue', 'sst2').compute({ predictions, references }))
      expect(glue).toContain("loadMetric('f1', 'multilabel')")
      for (const text of [plain, own, glue]) {
        expect(text).toContain('greater(0)')
        expect(text).not.toContain('argmax')
      }
    }
    // scikit-learn: f1_score([[1, 0], [1, 1]], [[1, 0], [0, 1]], average="micro")
    const advised = [tensor.greater(0), logits.map(row => row.map(logit => Number(logit > 0)))]
    for (const predictions of advised)
      expect(loadMetric('f1', 'multilabel').compute({ predictions, references, average: 'micro' })).toEqual({ f1: 0.8 })
    expect(
      message(() => loadMetric('f1', 'multilabel').compute({ predictions: [1, 0], references: [1, 1] })),
    ).toContain("of one value in a row, loadMetric('f1').")
  })

  it('still advises argmax where references are one class in a row', () => {
    expect(() => loadMetric('accuracy').compute({ predictions: logits, references: [0, 1] })).toThrow(
      "take the class first: Tensor.from('float32', predictions).argmax(-1).",
    )
    const predictions = Tensor.from('float32', logits).argmax(-1)
    expect(loadMetric('accuracy').compute({ predictions, references: [0, 1] })).toEqual({ accuracy: 1 })
  })

  it('has to be the same in every batch', () => {
    const metric = loadMetric('accuracy', 'multilabel')
    metric.addBatch({ predictions: [[1, 0]], references: [[1, 0]] })
    expect(() => metric.addBatch({ predictions: [[1, 0, 1]], references: [[1, 0, 1]] })).toThrow(
      'a batch has 3 values in each row, and an earlier one 2.',
    )
    expect(() => metric.addBatch({ predictions: [[1, 0], [1]], references: [[1, 0]] })).toThrow(
      'row 1 of the predictions is a list of 1, the first a list of 2.',
    )
  })
})
