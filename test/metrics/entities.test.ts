import { describe, expect, it } from 'vitest'
import { entityLabels, entityReport, type EvalPrediction, getEntities, loadMetric, Tensor } from '../../src/index'

const seqeval = loadMetric('seqeval')

describe('entities', () => {
  it('are scored with the keys of evaluate', () => {
    // the example of evaluate's page
    const predictions = [
      ['O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'I-MISC', 'O'],
      ['B-PER', 'I-PER', 'O'],
    ]
    const references = [
      ['O', 'O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'O'],
      ['B-PER', 'I-PER', 'O'],
    ]
    const scores = seqeval.compute({ predictions, references })
    expect(Object.keys(scores)).toEqual([
      ...['MISC', 'PER'],
      ...['overall_precision', 'overall_recall', 'overall_f1', 'overall_accuracy'],
    ])
    expect(scores).toMatchObject({ overall_f1: 0.5, overall_accuracy: 0.8 })
    expect(scores['PER']).toEqual({ precision: 1, recall: 1, f1: 1, number: 1 })
    expect(scores['PER']!.f1 + scores.overall_accuracy).toBeGreaterThan(1) // by their types
    expect(entityReport(references, predictions, { outputDict: true })['micro avg']).toEqual({
      precision: 0.5,
      recall: 0.5,
      'f1-score': 0.5,
      support: 2,
    })
  })

  it('begin without B in the default mode, not in the strict one', () => {
    const rows = { references: [['B-X', 'I-X']], predictions: [['I-X', 'I-X']] }
    expect(seqeval.compute(rows).overall_f1).toBe(1)
    expect(seqeval.compute({ ...rows, mode: 'default', scheme: null }).overall_f1).toBe(1)
    expect(seqeval.compute({ ...rows, mode: 'strict', scheme: 'IOB2' }).overall_f1).toBe(0)
    expect(getEntities(['U-ORG', 'U-ORG'])).toEqual([{ type: 'ORG', start: 0, end: 1 }])
    expect(getEntities(['U-ORG', 'U-ORG'], { mode: 'strict', scheme: 'BILOU' })).toHaveLength(2)
    expect(getEntities(['PER', 'O'])).toEqual([{ type: 'ER', start: 0, end: 0 }])
  })

  it('that are none at all have no macro average', () => {
    const report = entityReport([['O']], [['O']], { outputDict: true })
    expect(report['macro avg']).toEqual({ precision: NaN, recall: NaN, 'f1-score': NaN, support: 0 })
    expect(entityReport([['O']], [['O']])).toContain('macro avg        nan       nan       nan         0\n')
  })

  it.each([
    [{ references: [['B-X']], predictions: [['B-X', 'O']] }, {}, 'row 0 has 2 predicted labels for 1 words.'],
    [{ references: [['B-X'], ['O']], predictions: [['B-X']] }, {}, 'there are 1 predictions for 2 references.'],
    [{ references: [[]], predictions: [[]] }, {}, 'the sentences have no words.'],
    [{ references: ['B-X'], predictions: ['B-X'] }, {}, "should be a list of texts such as ['B-PER', 'O'], not string"],
    [
      { references: [[0]], predictions: [[0]] },
      {},
      'row 0 of the predictions has 0 at place 0. Give each word its label',
    ],
    [{ references: [['O']], predictions: [['']] }, {}, 'has "" at place 0'],
    [
      { references: [['B-X']], predictions: [['U-X']] },
      { mode: 'strict' },
      'label 0 of row 0 of the predictions is "U-X"',
    ],
    [
      { references: [['O']], predictions: [['O']] },
      { mode: 'strict' },
      'the prefixes O, which tell no scheme. Name it',
    ],
    [{ references: [['O']], predictions: [['O']] }, { scheme: 'IOB2' }, "A scheme counts with mode: 'strict' only."],
    [{ references: [['O']], predictions: [['O']] }, { scheme: 'IOB' }, "scheme should be 'IOB1', 'IOB2', 'IOE1'"],
    [{ references: [['O']], predictions: [['O']] }, { zeroDivision: NaN }, "zeroDivision should be 0, 1 or 'warn'"],
    [{ references: [['B-overall_f1']], predictions: [['O']] }, {}, 'a type of entities is called "overall_f1"'],
  ])('%j with %j are refused', (rows, options, message) => {
    expect(() => seqeval.compute({ ...rows, ...options } as never)).toThrow(message)
  })

  it('called as a line of the report are refused where one would be lost', () => {
    const [references, predictions] = [[['B-micro avg']], [['O']]]
    expect(() => entityReport(references, predictions, { outputDict: true })).toThrow('a class is called "micro avg"')
    expect(entityReport(references, predictions).match(/micro avg/g)).toHaveLength(2)
  })
})

describe('entityLabels', () => {
  const names = ['O', 'B-PER', 'I-PER']
  const labels = Tensor.from('int64', [
    [-100, 1, -100, 2],
    [0, -100, -100, -100],
  ])
  const classes = [
    [0, 1, 2, 0],
    [1, 0, 0, 0],
  ]
  const logits = Tensor.from(
    'float32',
    classes.map(row => row.map(one => names.map((_, at) => (at === one ? 2 : -at)))),
  )
  const expected = {
    predictions: [['B-PER', 'O'], ['B-PER']],
    references: [['B-PER', 'I-PER'], ['O']],
  }

  it('makes the lists that are compared of logits, of classes and of a config', () => {
    expect(entityLabels({ predictions: logits, labels }, names)).toEqual(expected)
    expect(entityLabels({ predictions: Tensor.from('int32', classes), labels }, { ...names })).toEqual(expected)
  })

  it('is one line of computeMetrics', () => {
    const computeMetrics = (prediction: EvalPrediction) => seqeval.compute(entityLabels(prediction, names))
    expect(computeMetrics({ predictions: logits, labels, labelIds: labels })).toMatchObject({ overall_precision: 0 })
  })

  it('says what does not belong together', () => {
    const call =
      (predictions: unknown, of: unknown, called: readonly string[] = names) =>
      () =>
        entityLabels({ predictions, labels: of } as never, called)
    expect(call(classes, labels)).toThrow('entityLabels(): predictions should be a tensor, not a list.')
    expect(call(logits, labels.reshape([8]))).toThrow('the predictions have the shape [2, 4, 3], and the labels [8].')
    expect(call(logits, labels, ['O'])).toThrow('token 1 of row 0 of the predictions is 1, which has no name.')
  })
})
