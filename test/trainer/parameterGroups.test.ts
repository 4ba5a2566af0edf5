// parameters with a learning rate or a weight decay of their own
import { describe, expect, it } from 'vitest'
import {
  layerwiseDecay,
  type ParameterGroup,
  type PreTrainedModel,
  type Trainer,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

const rows = Array.from({ length: 8 }, (_, i) => ({ input_ids: [1 + i, 9 + 2 * i, 28 - i], label: i % 2 }))
const head = 'classifier.weight'
const query = 'bert.encoder.layer.0.attention.self.query.weight'
const table = 'bert.embeddings.word_embeddings.weight'

const trained = async (
  args: Omit<TrainingArgumentsOptions, 'outputDir'>,
  parameterGroups?: readonly ParameterGroup[],
  use: (trainer: Trainer) => unknown = () => undefined,
): Promise<PreTrainedModel> => {
  const trainer = quietTrainer({
    model: tinyModel({ num_hidden_layers: 2 }),
    args: {
      outputDir: temporaryFolder(),
      perDeviceTrainBatchSize: 8,
      maxSteps: 1,
      lrSchedulerType: 'constant',
      threads: 1,
      ...args,
    },
    trainDataset: rows,
    ...(parameterGroups !== undefined && { parameterGroups }),
  })
  await trainer.train()
  await use(trainer)
  await trainer.dispose()
  return trainer.model
}
const numbers = (model: PreTrainedModel, name: string): number[] => [...model.parameter(name).data]

describe('a group', () => {
  // the first update's gradients are the same whatever the rate
  it.each(['adamw_torch', 'sgd', 'lion_32bit', 'adagrad', 'rmsprop', 'adafactor'] as const)(
    'has the rate and the decay that it says, with %s; the others those of the arguments',
    async optim => {
      const all = { optim, learningRate: 0.01, weightDecay: 0.1 }
      const own = await trained(all, [
        { parameters: 'classifier', learningRate: 0.05 },
        { parameters: [/layer\.0.*query/, 'classifier'], weightDecay: 0.3 },
        { parameters: 'classifier', learningRate: 7, weightDecay: 7 },
      ])
      const usual = await trained(all)
      const fast = await trained({ ...all, learningRate: 0.05, weightDecay: 0.3 })
      const decayed = await trained({ ...all, weightDecay: 0.3 })
      expect(numbers(own, head)).toEqual(numbers(fast, head)) // the first that says it counts
      expect(numbers(own, query)).toEqual(numbers(decayed, query))
      expect(numbers(own, table)).toEqual(numbers(usual, table))
      expect(numbers(own, head)).not.toEqual(numbers(usual, head))
      expect(numbers(own, query)).not.toEqual(numbers(usual, query))
    },
  )

  it('is moved by the schedule as all are, and told by the trainer', async () => {
    const args = {
      learningRate: 0.01,
      weightDecay: 0.1,
      maxSteps: 4,
      lrSchedulerType: 'linear',
      loggingSteps: 1,
    } as const
    await trained(args, [{ parameters: 'classifier', learningRate: 0.04, weightDecay: 0 }], trainer => {
      const groups = trainer.getOptimizerGroup()
      expect(groups.map(({ weightDecay }) => weightDecay)).toEqual([0.1, 0, 0, 0])
      expect(groups[1]!.parameters).toEqual([head])
      expect(trainer.getOptimizerGroup('classifier.bias').parameters).toEqual(['classifier.bias'])
      expect(trainer.getLearningRates()).toEqual([0, 0, 0, 0])
      trainer.state.globalStep = 2
      expect(trainer.getLearningRates()).toEqual([0.005, 0.02, 0.005, 0.02])
      expect(trainer.state.logHistory[0]!['learning_rate']).toBe(0.01)
    })
  })

  it.each<[string, object, RegExp]>([
    [
      'of nobody',
      { parameters: 'clasifier' },
      /No parameter of BertForSequenceClassification is named "clasifier".*Did you mean "classifier"\?/,
    ],
    [
      'of a rate below 0',
      { parameters: 'classifier', learningRate: -1 },
      /parameterGroups\[0\]: learningRate is -1; a number from 0 on/,
    ],
    [
      'that says nothing',
      { parameters: 'classifier' },
      /parameterGroups\[0\] says neither learningRate nor weightDecay/,
    ],
    ['of another option', { parameters: 'classifier', lr: 1 }, /parameterGroups\[0\] has no option "lr"/],
  ])('%s is refused', async (_, group, message) => {
    await expect(trained({}, [group as ParameterGroup])).rejects.toThrow(message)
  })

  it('that is in no list is refused', async () => {
    await expect(trained({}, { parameters: 'classifier', weightDecay: 0 } as never)).rejects.toThrow(
      /parameterGroups is \{ parameters, weightDecay \}; a list of groups was expected\. Give \[\{/,
    )
  })
})

describe('layerwiseDecay', () => {
  it('lets rates fall from the head to the embeddings', async () => {
    const groups = layerwiseDecay(tinyModel({ num_hidden_layers: 2 }), { learningRate: 0.08, decay: 0.5 })
    const rates = new Map(groups.map(({ parameters, learningRate }) => [parameters, learningRate]))
    expect(
      [head, 'bert.pooler.dense.bias', query.replace('.0.', '.1.'), query, table].map(name => rates.get(name)),
    ).toEqual([0.08, 0.08, 0.04, 0.02, 0.01])
    const own = await trained({ learningRate: 0.08, optim: 'sgd' }, groups)
    const slow = await trained({ learningRate: 0.02, optim: 'sgd' })
    expect(numbers(own, query)).toEqual(numbers(slow, query))
  })

  it('is for models of numbered layers, and knows its options', () => {
    const model = tinyModel({ num_hidden_layers: 1 })
    expect(() => layerwiseDecay(tinyModel(), {} as never)).toThrow(
      /layerwiseDecay\(\): learningRate is undefined; a number from 0 on was expected\. Give the rate of the head/,
    )
    expect(() => layerwiseDecay(tinyModel(), { learningRate: 1, decay: -1 })).toThrow(/decay is -1; a number from 0/)
    expect(() => layerwiseDecay(model, { learningRate: 1, deca: 1 } as never)).toThrow(
      /no option "deca".*Did you mean decay/s,
    )
  })
})
