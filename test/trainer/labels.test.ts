import { describe, expect, it } from 'vitest'
import { Dataset, DataCollatorWithPadding, defaultDataCollator, type PreTrainedModel } from '../../src/index'
import { padExamples } from '../../src/collators/padExamples'
import { binaryCrossEntropy } from '../../src/losses/binaryCrossEntropy'
import { GraphBuilder } from '../../src/onnx/builder'
import { createTrainer, dataset, logged, rows, run, tinyModel } from './support'

/** A collator that pads on a side; `batches` gets the rows of each. */
function padding(paddingSide: 'left' | 'right', batches: number[][]): ReturnType<typeof DataCollatorWithPadding> {
  const settings = {
    modelInputNames: ['input_ids', 'attention_mask'],
    modelMaxLength: Infinity,
    paddingSide,
    padTokenId: 0,
    padTokenTypeId: 0,
  }
  const collator = DataCollatorWithPadding({
    paddingSide,
    pad: (examples, options) => padExamples(examples, settings, options),
  })
  const counting: typeof collator = (examples, indices = [], ...more) => (
    batches.push([...indices]),
    collator(examples, indices, ...more)
  )
  return Object.assign(counting, { paddingSide })
}

const rowsWith = (change: (row: ReturnType<typeof rows>[number], i: number) => object, count = 8): Dataset<object> =>
  Dataset.fromRows(rows(count).map(change)) as Dataset<object>

/** Row after row with its label under another name, or several. */
const labelled = (of: (label: number) => object): Dataset<object> =>
  rowsWith(({ label, ...row }) => ({ ...row, ...of(label) }))

const first = { maxSteps: 1, trainSamplingStrategy: 'sequential' } as const

describe('the label of a dataset', () => {
  it('is the column that labelNames names, also beside a column label', async () => {
    const named = await run(
      { ...first, labelNames: ['fine'] },
      { trainDataset: labelled(fine => ({ label: 1 - fine, fine })) },
    )
    const alone = await run(first, { trainDataset: dataset(8) })
    expect(named.losses).toEqual(alone.losses)
    const wrong = labelled(label => ({ label, fine: 7 }))
    await expect(run({ ...first, labelNames: ['fine'] }, { trainDataset: wrong })).rejects.toThrow(
      /label of row 0 .* is 7/,
    )
    await expect(createTrainer({ labelNames: ['fine'] }).evaluate(wrong)).rejects.toThrow(/label of row 0 .* is 7/)
  })

  it('is so without removeUnusedColumns, and with rows that are no Dataset', async () => {
    const { losses } = await run(first, { trainDataset: dataset(8) })
    const two = labelled(fine => ({ label: 1 - fine, fine }))
    const kept = { ...first, removeUnusedColumns: false, labelNames: ['fine'] }
    expect((await run(kept, { trainDataset: two })).losses).toEqual(losses)
    const stream = { *[Symbol.asyncIterator]() { yield* [...two] } } // prettier-ignore
    for (const trainDataset of [[...two], stream as unknown as AsyncIterable<object>])
      expect((await run({ ...first, labelNames: ['fine'] }, { trainDataset })).losses).toEqual(losses)
  })

  it.each(['label_ids', 'stars'])('is %s for our collators too, whatever else rows have', async name => {
    const trainDataset = labelled(label => ({ label: 1 - label, [name]: label }))
    const given = { ...first, perDeviceTrainBatchSize: 1, labelNames: [name] }
    const alone = await run({ ...first, perDeviceTrainBatchSize: 1 }, { trainDataset: dataset(8) })
    for (const removeUnusedColumns of [true, false]) {
      for (const dataCollator of [padding('right', []), defaultDataCollator]) {
        const { losses } = await run({ ...given, removeUnusedColumns }, { trainDataset, dataCollator })
        expect(losses).toEqual(alone.losses)
      }
    }
  })

  it('is missing, or a text, in a column that labelNames names', async () => {
    for (const dataCollator of [padding('right', []), defaultDataCollator]) {
      const options = { dataCollator, trainDataset: labelled(() => ({ stars: 'good' })) }
      await expect(run({ ...first, labelNames: ['stars'], perDeviceTrainBatchSize: 1 }, options)).rejects.toThrow(
        /Column 'stars' of row 0 .* is text \("good"\).*classEncodeColumn\('stars'\)/,
      )
      const trainer = createTrainer({ labelNames: ['stars'], perDeviceEvalBatchSize: 1 }, { dataCollator })
      const { labels } = await trainer.predict(labelled(() => ({ stars: null })))
      expect(labels).toBeUndefined()
    }
    const trainDataset = rowsWith((row, i) => ({ ...row, label: i === 3 ? null : row.label }))
    const single = { trainSamplingStrategy: 'sequential', perDeviceTrainBatchSize: 1 } as const
    await expect(run(single, { trainDataset, dataCollator: padding('right', []) })).rejects.toThrow(
      /Row 3 of the training dataset has no labels.*filter\(row => row\.label !== null\)/,
    )
  })

  it('is label before labels, with a warning', async () => {
    const messages = logged()
    const trainDataset = labelled(label => ({ labels: 1 - label, label }))
    expect((await run(first, { trainDataset })).losses).toEqual((await run(first, { trainDataset: dataset(8) })).losses)
    expect(messages.filter(message => message.includes('could be labels as well'))).toHaveLength(1)
  })

  it('may be made by a collator of the columns that labelNames names', async () => {
    const trainDataset = labelled(label => ({ high: label, low: 0 }))
    const { losses } = await run(
      { ...first, labelNames: ['high', 'low'] },
      {
        trainDataset,
        dataCollator: (given, indices) =>
          padding('right', [])(
            given.map(({ high, low, ...row }) => ({ ...row, label: Number(high) + Number(low) })),
            indices,
          ),
      },
    )
    expect(losses).toEqual((await run(first, { trainDataset: dataset(8) })).losses)
  })

  it('is asked for by its nearest name', async () => {
    const trainDataset = labelled(target => ({ target }))
    await expect(run({ labelNames: ['tarjet'] }, { trainDataset })).rejects.toThrow(
      /labelNames is "tarjet", but the columns of the training dataset are .*"target"\. Did you mean "target"\?/,
    )
  })

  it('weighs classes by that column, and names them by its features', async () => {
    const trainDataset = labelled(label => ({ label: 0, kind: label === 0 ? 'no' : 'yes' })).classEncodeColumn(
      'kind' as never,
    )
    const trainer = createTrainer(
      { ...first, labelNames: ['kind'] },
      { trainDataset: trainDataset as Dataset<object>, classWeights: 'balanced' },
    )
    await trainer.train()
    expect(trainer.model.config.id2label).toEqual({ 0: 'no', 1: 'yes' })
  })
})

describe('a dataset that calls its classes otherwise than the model', () => {
  const nli = (): PreTrainedModel => tinyModel({}, { id2label: ['CONTRADICTION', 'NEUTRAL', 'ENTAILMENT'] })
  const named = (names: readonly string[]): Dataset<object> =>
    labelled(label => ({ label: names[label] })).classEncodeColumn('label' as never, names) as Dataset<object>

  it('is told, and alignLabelsWithMapping mends it', async () => {
    const messages = logged()
    const trainDataset = named(['entailment', 'neutral', 'contradiction'])
    const { trainer } = await run(first, { trainDataset, model: nli() })
    expect(messages).toEqual([
      'The training dataset\'s classes are, by number, "entailment", "neutral", "contradiction", but the model\'s are ' +
        '"CONTRADICTION", "NEUTRAL", "ENTAILMENT". dataset.alignLabelsWithMapping(model.config.label2id, \'label\') ' +
        'numbers the dataset as the model does.',
    ])
    messages.length = 0
    await trainer.evaluate(trainDataset)
    expect(messages[0]).toMatch(/^The evaluation dataset's classes are/)
    messages.length = 0
    await trainer.evaluate(trainDataset.alignLabelsWithMapping(trainer.model.config.label2id!, 'label' as never))
    expect(messages).toEqual([])
  })

  it('is told to name the model, where the names are others', async () => {
    const messages = logged()
    await run(first, { trainDataset: named(['ham', 'spam']), model: tinyModel({}, { id2label: ['bad', 'good'] }) })
    expect(messages[0]).toMatch(/"ham", "spam", but the model's are "bad", "good"\. fromPretrained\(…, \{ id2label/)
  })
})

describe('padding on the left', () => {
  // transformers 5.24 and PyTorch 2.13: Trainer.evaluate() of this model in batches of 4, padded on either side
  it.each([
    [
      'left',
      0.8933160901069641,
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10],
      ],
    ],
    [
      'right',
      0.7814926505088806,
      [
        [1, 7, 4, 10],
        [0, 6, 3, 9],
        [2, 8, 5],
      ],
    ],
  ] as const)('%s', async (side, loss, expected) => {
    const batches: number[][] = []
    const trainer = createTrainer({}, { dataCollator: padding(side, batches) })
    expect((await trainer.evaluate(dataset(11))).eval_loss).toBeCloseTo(loss, 6)
    if (side === 'left') expect(batches).toEqual(expected)
    else expect(batches.flat()).not.toEqual([...batches.flat()].sort((a, b) => a - b))
  })
})

describe('a head of several labels with one label', () => {
  it('compares each row with its own label', async () => {
    const model = tinyModel({}, { numLabels: 1, problemType: 'multi_label_classification' })
    const logits = (await createTrainer({}, { model }).predict(dataset(8))).predictions.data as unknown as number[]
    const trainDataset = rowsWith(({ label, ...row }) => ({ ...row, labels: [label] }))
    const { losses } = await run({ ...first, perDeviceTrainBatchSize: 8 }, { model, trainDataset })
    // PyTorch's BCEWithLogitsLoss, by its definition
    const each = Array.from(logits, (x, i) => Math.log(1 + Math.exp(-x)) + (rows(8)[i]!.label === 1 ? 0 : x))
    expect(losses[0]).toBeCloseTo(each.reduce((sum, loss) => sum + loss) / 8, 5)
  })

  it('is refused with targets of another shape', () => {
    const graph = new GraphBuilder('loss')
    const logits = graph.input('logits', 'float32', ['rows', 1])
    const labels = graph.input('labels', 'float32', ['rows'])
    expect(() => binaryCrossEntropy(graph, logits, labels)).toThrow(/logits are \[rows, 1\], targets \[rows\]/)
  })
})

describe('labels that do not fit', () => {
  const several = (): PreTrainedModel => tinyModel({}, { numLabels: 3, problemType: 'multi_label_classification' })
  const train = (of: (label: number, i: number) => unknown, model = tinyModel()): Promise<unknown> =>
    run(first, {
      model,
      trainDataset: rowsWith(({ input_ids }, i) => ({
        input_ids: input_ids.slice(0, 2),
        label: of(rows(8)[i]!.label, i),
      })),
      dataCollator: defaultDataCollator,
    })

  it.each([
    ['a decimal comma', () => train(() => '0,5'), /decimal: ','.*replace\(',', '\.'\)/],
    ['numbers read as text', () => train(label => `${label}`), /map\(row => \(\{ label: Number\(row\.label\) \}\)\)/],
    [
      'some numbers',
      () => train((label, i) => (i === 2 ? 'NA' : `${label}`)),
      /text \("1"\).*filter\(row => Number\.isFinite/,
    ],
    ['lists read as text', () => train(() => '[0, 1]'), /JSON\.parse\(row\.label\)/],
    ['names', () => train(() => 'good'), /classEncodeColumn\('label'\)/],
    [
      'lists of names',
      () => train(() => ['toxic'], several()),
      /names\.map\(name => \(row\.label\.includes\(name\) \? 1 : 0\)\)/,
    ],
    ['lists of numbers as text', () => train(() => ['0', '1', '1'], several()), /row\.label\.map\(Number\)/],
    ['lists of class numbers', () => train((_, i) => (i === 0 ? [0] : [0, 1]), several()), /Several labels at once/],
    ['one class for a head of several', () => train(label => label, several()), /1 for each label.*0 for the others/],
    ['too few', () => train(() => [0, 1], several()), /numLabels: 2, or give each row 3/],
    ['7 of several', () => train(() => [0, 7, 1], several()), /A label of row 0 of the training dataset is 7.*0 or 1/],
    [
      'several for one class',
      () => train(() => [1, 0, 2], tinyModel({}, { numLabels: 2, problemType: 'single_label_classification' })),
      /problemType: 'multi_label_classification', numLabels: 3/,
    ],
    [
      'values for classes',
      () => train(() => 0.5, tinyModel({}, { problemType: 'single_label_classification', numLabels: 2 })),
      /numLabels: 1/,
    ],
  ])('%s', async (_, trained, message) => {
    await expect(trained()).rejects.toThrow(message)
  })

  it('are no obstacle to predict(): the advice works', async () => {
    const trainer = createTrainer({}, { dataCollator: padding('right', []) })
    for (const label of [-1, '?', 'good']) {
      const hidden = rowsWith(row => ({ ...row, label }))
      await expect(trainer.predict(hidden)).rejects.toThrow(
        /To predict, rows need no labels: predict\(dataset\.removeColumns\('label'\)\)\.$/,
      )
      expect((await trainer.predict(hidden.removeColumns('label' as never))).predictions.dims).toEqual([8, 2])
    }
    const { labels, predictions } = await trainer.predict(rowsWith(row => ({ ...row, label: null })))
    expect([labels, predictions.dims]).toEqual([undefined, [8, 2]])
    await expect(trainer.predict(rowsWith((row, i) => ({ ...row, label: i < 4 ? 1 : null })))).rejects.toThrow(
      /'label' of row \d of the dataset is empty|The label of row \d of the evaluation dataset/,
    )
  })

  it('are missing in some batches of an evaluation', async () => {
    const trainer = createTrainer()
    const half = [...rows(4), ...rows(4).map(({ input_ids, attention_mask }) => ({ input_ids, attention_mask }))]
    await expect(trainer.evaluate(half)).rejects.toThrow(/The label of row 4 of the evaluation dataset is missing/)
  })
})
