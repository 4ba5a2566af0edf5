import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { loadMetric, type GlueTask } from '../../src/metrics/loadMetric'
import type { Average } from '../../src/metrics/options'
import { Tensor } from '../../src/tensor'

interface Case {
  kind: 'classes' | 'values'
  name: string
  predictions: number[]
  references: number[]
  results: Record<string, number | null>
}

const cases = JSON.parse(readFileSync(new URL('../fixtures/metrics/metrics.json', import.meta.url), 'utf8')) as Case[]

describe.each(cases)('scikit-learn and SciPy: $name', ({ predictions, references, results }) => {
  it.each(Object.entries(results))('%s', (key, expected) => {
    const [name, option] = key.split('/') as [string, string?]
    const options =
      option === undefined
        ? name === 'right'
          ? { normalize: false }
          : {}
        : option === 'binary 0'
          ? { posLabel: 0 }
          : option.endsWith('of 0, 2')
            ? { average: 'macro' as const, labels: [0, 2] }
            : { average: option as Average }
    const metric = loadMetric(name === 'right' ? 'accuracy' : name)
    const result = metric.compute({ predictions, references, ...options })
    expect(Object.keys(result)).toEqual([metric.name])
    if (expected === null) expect(result[metric.name]).toBeNaN()
    else expect(result[metric.name]).toBeCloseTo(expected, 12)
  })
})

describe('loadMetric', () => {
  const [two] = cases as [Case]
  const rows = { predictions: two.predictions, references: two.references }
  const scores = cases.find(({ name }) => name === 'scores with ties')!

  it.each(['hans', 'mnli', 'mnli_matched', 'mnli_mismatched', 'qnli', 'rte', 'sst2', 'wnli'] as GlueTask[])(
    'glue %s is accuracy',
    task => {
      expect(loadMetric('glue', task).compute(rows)).toEqual({ accuracy: two.results['accuracy'] })
    },
  )

  it('has the keys of Hugging Face for the other GLUE tasks', () => {
    for (const task of ['mrpc', 'qqp'] as const) {
      const result = loadMetric('glue', task).compute(rows)
      expect(Object.keys(result)).toEqual(['accuracy', 'f1'])
      expect(result['f1']).toBeCloseTo(two.results['f1/binary']!, 12)
    }
    const stsb = loadMetric('glue', 'stsb').compute({
      predictions: scores.predictions,
      references: scores.references,
    })
    expect(Object.keys(stsb)).toEqual(['pearson', 'spearmanr'])
    expect(stsb['pearson']).toBeCloseTo(scores.results['pearsonr']!, 12)
    expect(stsb['spearmanr']).toBeCloseTo(scores.results['spearmanr']!, 12)
    expect(loadMetric('glue', 'cola').compute(rows)['matthews_correlation']).toBeCloseTo(
      two.results['matthews_correlation']!,
      12,
    )
  })

  it('correlates numbers whose squares a float64 cannot hold', () => {
    for (const scale of [1e-200, 1e200]) {
      const given = { predictions: [1, 2, 4].map(x => x * scale), references: [2, 3, 7].map(x => x * scale) }
      expect(loadMetric('pearsonr').compute(given)['pearsonr']).toBeCloseTo(
        loadMetric('pearsonr').compute({ predictions: [1, 2, 4], references: [2, 3, 7] })['pearsonr']!,
        12,
      )
    }
  })

  it('takes tensors, typed arrays and lists, as [rows] or [rows, 1]', () => {
    const metric = loadMetric('glue', 'stsb')
    const expected = metric.compute({ predictions: [1, 2.5, 2], references: [3, 5, 4] })
    const predictions = [
      new Tensor('float32', Float32Array.of(1, 2.5, 2), [3, 1]),
      new Tensor('float32', Float32Array.of(1, 2.5, 2), [3]),
      Float32Array.of(1, 2.5, 2),
      [[1], [2.5], [2]],
    ]
    const references = [
      new Tensor('int64', BigInt64Array.of(3n, 5n, 4n), [3]),
      BigInt64Array.of(3n, 5n, 4n),
      [3n, 5n, 4n],
      [[3], [5], [4]],
    ]
    for (const [i, side] of predictions.entries())
      expect(metric.compute({ predictions: side, references: references[i]! })).toEqual(expected)
  })

  it('gathers batches and forgets them after compute', () => {
    const metric = loadMetric('accuracy')
    metric.addBatch({ predictions: [1, 0], references: [1, 1] })
    metric.addBatch({ predictions: Int32Array.of(1), references: [1] })
    expect(metric.compute({ predictions: [0], references: [0] })).toEqual({ accuracy: 3 / 4 })
    metric.addBatch({ predictions: [1], references: [0] })
    expect(metric.compute()).toEqual({ accuracy: 0 })
    expect(() => metric.compute()).toThrow('accuracy: there are no rows. Call addBatch first')
  })

  it('refuses what it cannot compare', () => {
    const f1 = loadMetric('f1')
    expect(() => f1.compute({ predictions: [1, 0], references: [1] })).toThrow(
      'f1: there are 2 predictions for 1 references.',
    )
    expect(() => f1.compute({ predictions: Tensor.zeros('float32', [4, 2]), references: [0, 0, 0, 0] })).toThrow(
      '[4, 2]. If these are logits, take the class first: predictions.argmax(-1).',
    )
    expect(() =>
      f1.compute({
        predictions: [
          [0, 1],
          [1, 0],
        ],
        references: [0, 1],
      }),
    ).toThrow('argmax')
    expect(() => f1.compute({ predictions: ['a'] as never, references: [1] })).toThrow(
      'row 0 of the predictions is "a", not a number',
    )
    expect(() => f1.compute({ predictions: [0, 1, 2], references: [0, 1, 1] })).toThrow(
      "there are 3 classes (0, 1, 2), but average is 'binary'. Pass average: 'macro'",
    )
    expect(() => f1.compute({ predictions: [0, 2], references: [0, 2] })).toThrow(
      'posLabel is 1, but the classes are 0, 2',
    )
    expect(() => f1.compute({ predictions: [0], references: [0], average: 'sample' as never })).toThrow(
      `average should be 'binary', 'micro', 'macro', 'weighted', 'samples' or null, not "sample".`,
    )
    expect(() => f1.compute({ predictions: [0] } as never)).toThrow('only predictions were given')
  })

  it('names the nearest metric and task', () => {
    expect(() => loadMetric('acuracy')).toThrow(
      "There is no metric 'acuracy'; there are accuracy, confusion_matrix, f1, glue, mae, matthews_correlation, " +
        "mse, pearsonr, perplexity, precision, recall, roc_auc, seqeval, spearmanr, squad, squad_v2. Did you mean 'accuracy'?",
    )
    expect(() => loadMetric('glue', 'mrcp')).toThrow("Did you mean 'mrpc'? Write loadMetric('glue', task).")
    expect(() => loadMetric('glue')).toThrow('there are cola, hans')
    expect(() => loadMetric('toString')).toThrow("There is no metric 'toString'")
    expect(() => loadMetric('f1', 'mrpc')).toThrow(
      "The metric 'f1' has the configuration 'multilabel' only, but 'mrpc' was given. Write loadMetric('f1'), and of",
    )
    expect(() => loadMetric('pearsonr', 'multilabel')).toThrow("has no configurations, but 'multilabel' was given.")
    expect(() => loadMetric('f1', { average: 'macro' } as never)).toThrow('Give options to compute().')
  })
})
