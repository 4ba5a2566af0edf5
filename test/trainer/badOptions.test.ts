import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  EarlyStoppingCallback,
  TrainingArguments,
  Trainer,
  TrainerCallback,
} from '../../src/index'
import { createTrainer, dataset, tinyModel } from './support'

const tokenizerFolder = join(import.meta.dirname, '../../examples/data/tokenizer')

describe('options that contradict each other', () => {
  it('loadBestModelAtEnd with strategies that do not match', () => {
    expect(
      () => new TrainingArguments({ loadBestModelAtEnd: true, evalStrategy: 'epoch', saveStrategy: 'steps' }),
    ).toThrow(/'epoch' and 'steps'.*Make them the same/s)
  })

  it('nothing to evaluate on', () => {
    expect(() => new Trainer({ model: tinyModel(), args: { evalStrategy: 'epoch' } })).toThrow(
      /evalStrategy is "epoch".*no evalDataset/s,
    )
  })
})

describe('what a program without type checks may pass', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a misspelt option of the Trainer',
      () => createTrainer({}, { computeMetric: () => ({}) } as object),
      /Trainer has no option "computeMetric".*Did you mean computeMetrics\?/s,
    ],
    [
      'a model that was not awaited',
      () => new Trainer({ model: Promise.resolve(createTrainer().model) as never }),
      /`model` is not a model.*await/s,
    ],
    [
      'something else as the model',
      () => new Trainer({ model: {} as never }),
      /`model` is not a model.*AutoModelForSequenceClassification/s,
    ],
    [
      'a dataset that was not awaited',
      () => createTrainer({}, { trainDataset: Promise.resolve(dataset(4)) as never }),
      /trainDataset is a Promise.*await/s,
    ],
    [
      'all splits as the training dataset',
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
      /fromConfig\(\) has no option "num_labels".*numLabels/s,
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
      'a misspelt event of an anonymous class',
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
      'the arguments of evaluate in one object',
      () => createTrainer().evaluate({ evalDataset: dataset(2) } as never),
      /"evalDataset" is the name of an option.*evaluate\(dataset/s,
    ],
    [
      'a misspelt flag of the control',
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
      /has no option "useFast"/,
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
      'a checkpoint alone',
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
})
