import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  EarlyStoppingCallback,
  Trainer,
  TrainerCallback,
} from '../../src/index'
import { createTrainer, dataset } from './support'
import { temporaryFolder } from '../helpers/temporaryFolder'

const tokenizerFolder = join(import.meta.dirname, '../../examples/data/tokenizer')
describe('what a program without types may pass', () => {
  const model = () => createTrainer().model
  it.each<[string, () => unknown, RegExp]>([
    [
      'a misspelt option of the Trainer',
      () => createTrainer({}, { computeMetric: () => ({}) } as object),
      /Trainer has no option "computeMetric".*Did you mean computeMetrics\?/s,
    ],
    [
      'a model that was not awaited',
      () => new Trainer({ model: Promise.resolve(model()) as never }),
      /`model` is not a model.*await/s,
    ],
    [
      'a model of something else',
      () => new Trainer({ model: {} as never }),
      /`model` is not a model.*AutoModelForSequenceClassification/s,
    ],
    [
      'a dataset that was not awaited',
      () => createTrainer({}, { trainDataset: Promise.resolve(dataset(4)) as never }),
      /trainDataset is a Promise.*await/s,
    ],
    [
      'all splits for training',
      () => createTrainer({}, { trainDataset: dataset(8).trainTestSplit({ testSize: 2 }) as never }),
      /dictionary of datasets \(train, test\).*encoded\.train/s,
    ],
    [
      'a misspelt option of trainTestSplit',
      () => dataset(8).trainTestSplit({ test_size: 2 } as object),
      /trainTestSplit\(\) has no option "test_size".*Did you mean testSize\?/s,
    ],
    [
      'a misspelt option of map',
      () => dataset(8).map(() => ({}), { batch: true } as object),
      /map\(\) has no option "batch".*Did you mean batched\?/s,
    ],
    [
      'a misspelt option of a model',
      () => AutoModelForSequenceClassification.fromConfig({ model_type: 'bert' }, { num_labels: 3 } as object),
      /A model has no option "num_labels".*numLabels/s,
    ],
    [
      'a misspelt problem type',
      () =>
        AutoModelForSequenceClassification.fromConfig({ model_type: 'bert' }, { problemType: 'regresion' as never }),
      /problem type "regresion".*"regression"/s,
    ],
    [
      'a problem type in the config',
      () => AutoModelForSequenceClassification.fromConfig({ model_type: 'bert', problem_type: 'classes' as never }),
      /problem type "classes".*single_label/s,
    ],
    [
      'a misspelt event of a class without a name',
      () =>
        createTrainer(
          {},
          {
            callbacks: [
              new (class extends TrainerCallback {
                onStepEnds(): void {}
              })(),
            ],
          },
        ),
      /^Callback has a method onStepEnds/,
    ],
    [
      "Python's old name of the tokenizer",
      () => createTrainer({}, { tokenizer: {} } as object),
      /no option "tokenizer".*processingClass/s,
    ],
    [
      'a tokenizer that was not awaited',
      () => createTrainer({}, { processingClass: Promise.resolve() as never }),
      /`processingClass` is a Promise.*await/s,
    ],
    [
      'options of evaluate in one object',
      () => createTrainer().evaluate({ evalDataset: dataset(2) } as never),
      /"evalDataset" is the name of an option.*evaluate\(dataset/s,
    ],
    [
      'a misspelt flag of control',
      () =>
        createTrainer(
          { maxSteps: 1 },
          {
            callbacks: [
              { onStepEnd: (_args, _state, control) => void Object.assign(control, { shouldTrainingStopp: true }) },
            ],
          },
        ).train(),
      /shouldTrainingStopp/,
    ],
    [
      'options of a tokenizer',
      () => AutoTokenizer.fromPretrained(tokenizerFolder, ...([{ useFast: true }] as unknown as [])),
      /takes a folder and nothing else/,
    ],
    [
      'a number for early stopping',
      () => new EarlyStoppingCallback(3 as never),
      /takes an object.*earlyStoppingPatience: 3/s,
    ],
    [
      'a misspelt option of early stopping',
      () => new EarlyStoppingCallback({ patience: 3 } as object),
      /has no option "patience"/,
    ],
    ['a number of rows to select', () => dataset(4).select(2 as never), /select\(\) takes the numbers of rows, not 2/],
    [
      'a checkpoint by itself',
      () => createTrainer().train('out/checkpoint-5' as never),
      /train\(\) takes an object.*resumeFromCheckpoint: "out\/checkpoint-5"/s,
    ],
    [
      'a misspelt option of train',
      () => createTrainer().train({ resume: true } as object),
      /train\(\) has no option "resume"/,
    ],
  ])('%s', async (_what, act, message) => {
    await expect(async () => act()).rejects.toThrow(message)
  })

  it('a file where the folder of a model is to be', async () => {
    const place = join(temporaryFolder(), 'model')
    writeFileSync(place, 'kept')
    await expect(createTrainer().saveModel(place)).rejects.toThrow(
      /Cannot write the folder .*: it is a file\. Choose another folder/s,
    )
    expect(readFileSync(place, 'utf8')).toBe('kept')
  })
})
