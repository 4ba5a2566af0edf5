import { describe, expect, it } from 'vitest'
import { classificationReport, confusionMatrix, loadMetric, perplexity, Tensor } from '../../src/index'

describe('classificationReport', () => {
  it('is the text that scikit-learn prints', () => {
    // sklearn.metrics.classification_report([0, 1, 1], [0, 1, 0], target_names=["bad", "good"])
    expect(classificationReport([0, 1, 1], [0, 1, 0], { targetNames: ['bad', 'good'] })).toBe(
      `              precision    recall  f1-score   support

         bad       0.50      1.00      0.67         1
        good       1.00      0.50      0.67         2

    accuracy                           0.67         3
   macro avg       0.75      0.75      0.67         3
weighted avg       0.83      0.67      0.67         3
`,
    )
  })

  it('prints a class twice where labels has it twice', () => {
    // sklearn.metrics.classification_report([0, 1, 1], [0, 1, 0], labels=[1, 1])
    const text = classificationReport([0, 1, 1], [0, 1, 0], { labels: [1, 1] })
    expect(text.match(/ 1 {7}1\.00 {6}0\.50 {6}0\.67 {9}2/g)).toHaveLength(2)
    expect(text).toContain('   micro avg       1.00      0.50      0.67         4')
  })

  it('takes tensors, typed arrays and lists, and gives numbers', () => {
    const expected = classificationReport([0, 1, 1], [0, 1, 0], { outputDict: true })
    expect(expected.accuracy).toBeCloseTo(2 / 3, 12)
    const given = [Tensor.from('int64', [0, 1, 1]), BigInt64Array.of(0n, 1n, 1n), [[0], [1], [1]]]
    for (const references of given)
      expect(classificationReport(references, Int32Array.of(0, 1, 0), { outputDict: true })).toEqual(expected)
  })

  it('keeps lines of the same name apart: the text has both, an object neither', () => {
    const [references, predictions] = [
      ['accuracy', 'macro avg'],
      ['accuracy', 'accuracy'],
    ]
    expect(classificationReport(references!, predictions!).match(/accuracy/g)).toHaveLength(2)
    expect(() => classificationReport(references!, predictions!, { outputDict: true })).toThrow(
      'a class is called "accuracy", as a line of the report, and an object keeps one of them.',
    )
    const same = { targetNames: ['x', 'x'], outputDict: true } as const
    expect(() => classificationReport([0, 1], [0, 1], same)).toThrow('two classes are called "x"')
  })

  it.each([
    [[0, 1], [0, 1, 1], {}, 'there are 3 predictions for 2 references.'],
    [[], [], {}, 'there are no rows.'],
    [[0, 1], ['a', 'b'], {}, 'row 0 of the references is 0, other classes are texts.'],
    [[0, 1], [0.5, 1], {}, 'row 0 of the predictions is 0.5, not the number of a class.'],
    [[[1, 0]], [1], {}, 'the references have 2 labels in each row, the predictions one.'],
    [[1], [[0.2, 0.8]], {}, 'take the class first'],
    [[0, 2], [0, 2], { targetNames: ['a', 'b', 'c'] }, 'Only 0, 2 occur; labels: [0, 1, 2] reports the others too.'],
    [[0], [0], { labels: [] }, 'labels should be a list of classes, not [].'],
    [[0], [0], { labels: [0, 0], outputDict: true }, 'two classes are called "0"'],
    [[0], [0], { labels: ['0'] }, "labels has '0', but the classes are whole numbers."],
    [['a'], ['a'], { labels: [0] }, 'labels has 0, but the classes are texts.'],
    [[[1, 0]], [[1, 0]], { labels: [2] }, 'labels has 2, but rows have 2 labels.'],
    [[0], [0], { digits: -1 }, 'digits should be a whole number from 0 to 50, not -1.'],
    [[0], [0], { sampleWeight: [0] }, 'sampleWeight has zeros alone.'],
    [[0], [0], { zeroDivision: 2 }, "zeroDivision should be 0, 1, NaN or 'warn', not 2."],
    [[0], [0], { output_dict: true }, 'Did you mean outputDict?'],
  ])('of %j and %j with %j is refused', (references, predictions, options, message) => {
    expect(() => classificationReport(references as never, predictions as never, options as never)).toThrow(message)
  })
})

describe('confusionMatrix', () => {
  it('has a row for each class and a column for what is predicted', () => {
    const expected = [
      [1, 0],
      [1, 1],
    ]
    expect(confusionMatrix(['cat', 'dog', 'dog'], ['cat', 'cat', 'dog'])).toEqual(expected)
    const metric = loadMetric('confusion_matrix')
    metric.addBatch({ references: ['cat'], predictions: ['cat'] })
    expect(metric.compute({ references: ['dog', 'dog'], predictions: ['cat', 'dog'] })).toEqual({
      confusion_matrix: expected,
    })
    expect(
      loadMetric('confusion_matrix').compute({
        references: Int32Array.of(0, 1, 1),
        predictions: Tensor.from('int32', [0, 0, 1]),
      }),
    ).toEqual({ confusion_matrix: expected })
  })

  it('is refused for several labels, and for labels that do not occur', () => {
    expect(() => confusionMatrix([[1, 0]], [[1, 0]])).toThrow('rows have 2 labels each.')
    expect(() => confusionMatrix([0, 1], [0, 1], { labels: [2] })).toThrow('none of labels is among the references.')
    expect(() => confusionMatrix([0, 1], [0, 1], { labels: [0, 0] })).toThrow('labels has a class twice: 0, 0.')
    expect(() => confusionMatrix([0], [0], { normalize: 'rows' as never })).toThrow(
      "normalize should be 'true', 'pred', 'all' or null",
    )
  })
})

describe('roc_auc', () => {
  it('takes scores under either name, and gives NaN where there is one class only', () => {
    const references = [1, 0, 1, 1, 0, 0]
    const scores = [0.5, 0.2, 0.99, 0.3, 0.1, 0.7]
    const metric = loadMetric('roc_auc')
    // the example of evaluate's page: 0.78
    expect(metric.compute({ references, predictionScores: scores }).roc_auc).toBeCloseTo(7 / 9, 12)
    expect(metric.compute({ references, predictions: Tensor.from('float32', scores) }).roc_auc).toBeCloseTo(7 / 9, 12)
    expect(metric.compute({ references: [1, 1], predictions: [0.1, 0.2] }).roc_auc).toBeNaN()
  })

  it.each([
    [
      undefined,
      [0, 1],
      [
        [0.2, 0.8],
        [0.5, 0.5],
      ],
      {},
      'Of two classes give the score of the second',
    ],
    [undefined, [0, 1, 2], [0.1, 0.2, 0.3], {}, 'the references have 3 classes.'],
    [undefined, [0, 1], [0.1, NaN], {}, 'row 1 of the predictions is NaN.'],
    [undefined, [0, 0.5], [0.1, 0.2], {}, 'a reference is 0.5'],
    [undefined, [0, 1], [0.1, 0.2], { maxFpr: 0 }, 'maxFpr should be above 0 and at most 1'],
    [
      'multiclass',
      [0, 1],
      [
        [0.2, 0.3, 0.5],
        [1, 0, 0],
      ],
      {},
      "multiClass should be 'ovr'",
    ],
    [
      'multiclass',
      [0, 1],
      [
        [0.2, 0.3, 0.5],
        [1, 0, 0],
      ],
      { multiClass: 'ovr' },
      'labels: [0, 1, …] names the class',
    ],
    [
      'multiclass',
      [0, 1, 2],
      [
        [1, 2, 3],
        [1, 0, 0],
        [1, 0, 0],
      ],
      { multiClass: 'ovr' },
      'the scores of row 0 add up to 6',
    ],
    ['multilabel', [[0, 2]], [[0.1, 0.2]], {}, 'a reference is 2; of labels, 0 or 1 was expected.'],
    [
      'multilabel',
      [0, 1],
      [
        [0.1, 0.2],
        [0.3, 0.4],
      ],
      {},
      'should have the shapes [rows, labels] and [rows, labels]',
    ],
  ])('%s of %j and %j with %j is refused', (configuration, references, predictions, options, message) => {
    const metric = loadMetric('roc_auc', configuration as 'multiclass')
    expect(() => metric.compute({ references, predictions, ...options } as never)).toThrow(message)
  })

  it('has two configurations', () => {
    expect(() => loadMetric('roc_auc', 'binary')).toThrow("has the configurations 'multiclass' and 'multilabel'")
  })
})

describe('perplexity', () => {
  it('is exp of a mean loss', () => {
    expect(perplexity(0)).toBe(1)
    expect(perplexity(1000)).toBe(Infinity)
    expect(() => perplexity('1' as never)).toThrow("perplexity() takes a mean loss, not '1'.")
  })

  it('of logits counts labels that are not -100, batch by batch', () => {
    const logits = [
      [0, 1, 2],
      [3, 0, 0],
      [1, 1, 1],
    ]
    const metric = loadMetric('perplexity')
    metric.addBatch({
      predictions: Tensor.from('float32', [logits.slice(0, 2)]),
      references: Tensor.from('int64', [[2, -100]]),
    })
    metric.addBatch({ predictions: Tensor.from('float32', [[logits[0]!]]), references: Tensor.from('int64', [[-100]]) })
    const last = { predictions: Tensor.from('float32', [[logits[2]!]]), references: Tensor.from('int64', [[0]]) }
    // torch.nn.functional.cross_entropy(logits, torch.tensor([2, -100, 0])).exp()
    expect(metric.compute(last).perplexity).toBeCloseTo(2.1235921382904053, 6)
    const none = { predictions: last.predictions, references: Tensor.from('int64', [[-100]]) }
    expect(() => metric.compute(none)).toThrow('perplexity: no label counts, all are -100.')
    expect(() => metric.compute()).toThrow('perplexity: there are no rows. Call addBatch first')
    expect(() => metric.compute({ ...last, references: Tensor.from('int64', [[3]]) })).toThrow('a label is 3')
    expect(() => metric.compute({ ...last, predictions: last.references })).toThrow('predictions without argmax')
    expect(() => metric.compute({ predictions: logits, references: [0] } as never)).toThrow('should be a tensor, not')
  })
})
