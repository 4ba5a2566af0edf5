import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AutoModelForTokenClassification,
  generateArtifacts,
  type GenerateArtifactsOptions,
  setLogLevel,
} from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { generated, mlpFile, namesOf, read } from './generated'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

describe('the protocol', () => {
  const model = tinyModel()
  model.freeze('bert.embeddings')
  const names = namesOf(model.definition.parameters)
  const trained = names.filter(name => !name.startsWith('bert.embeddings'))
  const columns = ['input_ids', 'attention_mask', 'token_type_ids', 'labels']

  it.each(['portable', 'onnxruntime-training'] as const)('has its names in order: %s', async dialect => {
    const files = await generated({ dialect, additionalOutputNames: ['logits'] }, model)
    const { graph } = read(files.trainingModel)
    const buffers = trained.map(name => `${name}_grad.accumulation.buffer`)
    expect(namesOf(graph.inputs)).toEqual([...columns, ...names, ...buffers, 'lazy_reset_grad'])
    expect(namesOf(graph.outputs)).toEqual(['loss', 'logits', ...trained.map(name => `${name}_grad.accumulation.out`)])
    const isOwn = dialect === 'onnxruntime-training'
    expect(graph.outputs[2]!.type).toEqual(
      isOwn ? { dtype: 'bool', shape: [1] } : { dtype: 'float32', shape: model.parameter(trained[0]!).dims },
    )
    const evaluation = read(files.evalModel).graph
    expect(namesOf(evaluation.inputs)).toEqual([...columns, ...names])
    expect(namesOf(evaluation.outputs)).toEqual(['loss', 'logits'])
    expect(evaluation.inputs[3]!.type).toEqual({ dtype: 'int64', shape: ['batch_size'] })
    const checkpoint = await readCheckpointFile(files.checkpoint)
    expect([...checkpoint.trained.keys()].toSorted()).toEqual(trained.toSorted())
    expect(checkpoint.frozen.get(names[0]!)!.data).toEqual(model.parameter(names[0]!).data)
  })

  it("has ONNX Runtime Training's optimizer nodes", async () => {
    const options = { name: 'adamw', betas: [0.8, 0.9], weightDecay: 0.01, maxGradNorm: 2 } as const
    const { graph } = read((await generated({ dialect: 'onnxruntime-training', optimizer: options })).optimizerModel!)
    expect(namesOf(graph.inputs)).toEqual(
      'learning_rate step params gradients first_order_moments second_order_moments'.split(' '),
    )
    expect(graph.nodes.map(({ op, domain }) => `${domain}.${op}`)).toEqual([
      'com.microsoft.InplaceClipGradNorm',
      'com.microsoft.AdamWOptimizer',
    ])
    expect(graph.nodes[1]!.inputs).toEqual([
      'learning_rate',
      'step',
      'params',
      'clipped_gradients',
      'first_order_moments',
      'second_order_moments',
    ])
    expect(Object.fromEntries(graph.nodes[1]!.attributes)).toEqual({
      alpha: 0.8,
      beta: 0.9,
      epsilon: 1e-6,
      weight_decay: 0.01,
      correct_bias: 1,
      adam_mode: 1,
    })
    expect(graph.nodes[0]!.attributes.get('max_norm')).toBe(2)
    const sgd = read((await generated({ dialect: 'onnxruntime-training', optimizer: 'sgd' })).optimizerModel!).graph
    expect(namesOf(sgd.inputs)).toEqual(['learning_rate', 'step', 'params', 'gradients', 'first_order_moments'])
    expect(sgd.nodes[0]!.inputs).toEqual(['learning_rate', 'params', 'gradients'])
  })

  it('says in ordinary operators what its optimizer is', async () => {
    const { metadata, graph } = read((await generated({ optimizer: { name: 'sgd', maxGradNorm: 1 } })).optimizerModel!)
    expect(metadata.get('ts-trainer.dialect')).toBe('portable')
    expect(JSON.parse(metadata.get('ts-trainer.optimizer')!)).toEqual([
      { op: 'InplaceClipGradNorm', max_norm: 1 },
      { op: 'SGDOptimizerV2' },
    ])
    expect(graph.nodes.every(({ domain }) => domain === '')).toBe(true)
    expect(namesOf(graph.outputs)).toEqual(namesOf(tinyModel().definition.parameters).map(name => `${name}.out`))
  })

  it('writes what it was asked for, under the prefix', async () => {
    const artifactDirectory = temporaryFolder()
    const options = { prefix: 'a_', nominalCheckpoint: true, optimizer: undefined, artifactDirectory }
    const files = await generated(options)
    expect(readdirSync(artifactDirectory).toSorted()).toEqual([
      'a_checkpoint',
      'a_eval_model.onnx',
      'a_initial_model.onnx',
      'a_nominal_checkpoint',
      'a_training_model.onnx',
    ])
    expect(files.optimizerModel).toBeUndefined()
    const { isNominal, trained: empty } = await readCheckpointFile(files.nominalCheckpoint!)
    expect([isNominal, empty.get('classifier.bias')!.size]).toEqual([true, 0])
  })

  it('lets heads judge tokens', async () => {
    const tokens = AutoModelForTokenClassification.fromConfig(tinyConfig, { numLabels: 4 })
    const { graph } = read((await generated({}, tokens)).trainingModel)
    expect(graph.inputs.find(({ name }) => name === 'labels')!.type!.shape).toEqual(['batch_size', 'sequence_length'])
  })
})

describe('an ONNX file', () => {
  it('has the parameters that the loss depends on, and others as constants where some are named', async () => {
    const file = mlpFile()
    const all = await readCheckpointFile((await generated({ loss: 'mse' }, file)).checkpoint)
    expect([...all.trained.keys()].toSorted()).toEqual(['bias', 'weight'])
    const named = await generated({ loss: 'mse', requiresGrad: ['weight'] }, file)
    const { graph } = read(named.trainingModel)
    expect(namesOf(graph.inputs)).toEqual([
      'x',
      'target',
      'weight',
      'weight_grad.accumulation.buffer',
      'lazy_reset_grad',
    ])
    expect(graph.initializers.has('bias')).toBe(true)
    const frozen = await generated({ loss: 'mse', requiresGrad: ['weight'], frozenParams: ['bias'] }, file)
    expect([...(await readCheckpointFile(frozen.checkpoint)).frozen.keys()]).toEqual(['bias'])
  })

  it.each([
    ['mse', 'mean_squared_error'],
    ['l1', 'mean-absolute-error'],
    ['bce-with-logits', 'binary_cross_entropy'],
    ['cross-entropy', 'cross_entropy'],
  ] as const)('has one loss of two names: %s, %s', async (short, full) => {
    const [one, other] = [await generated({ loss: short }, mlpFile()), await generated({ loss: full }, mlpFile())]
    expect(readFileSync(other.trainingModel)).toEqual(readFileSync(one.trainingModel))
  })

  it.each([
    [
      { requiresGrad: ['weight'], frozenParams: ['weight'] },
      '"weight" cannot be in both requiresGrad and frozenParams.',
    ],
    [{ requiresGrad: ['wieght'] }, 'Did you mean "weight"?'],
    [{ frozenParams: ['wieght'] }, 'Did you mean "weight"?'],
    [{ requiresGrad: ['apart'] }, 'apart'],
    [{ additionalOutputNames: ['logit'] }, 'Did you mean "logits"?'],
    [{ lossInputNames: ['logit'] }, 'Did you mean "logits"?'],
    [{ loss: undefined }, 'Without a loss the first output is the loss'],
    [{ loss: 'cros-entropy' }, 'loss is "cros-entropy", which is not a loss. Did you mean "cross_entropy"? Losses are'],
    [
      { loss: 'hinge' },
      'loss is "hinge", which is not a loss. Losses are cross_entropy, binary_cross_entropy or bce_with_logits, ' +
        'mean_squared_error or mse, mean_absolute_error or l1.',
    ],
    [{ optimizer: 'adam' }, "Did you mean 'adamw'?"],
    [{ optimizer: { name: 'adamw', beta1: 0.9 } }, 'has no option "beta1"'],
    [{ optimizer: { name: 'adamw', mode: 'torch', biasCorrection: false } }, 'no form without biasCorrection'],
    [{ dialect: 'onnxruntime_training' }, "Did you mean 'onnxruntime-training'?"],
    [{ prefix: '../x' }, 'is the beginning of names, and no folder'],
    [{ labels: 'numbers' }, 'labels says what the labels of a custom loss are'],
  ])('refuses %j', async (options, message) => {
    const artifactDirectory = join(temporaryFolder(), 'none')
    const made = generateArtifacts(mlpFile(), {
      loss: 'mse',
      artifactDirectory,
      ...options,
    } as GenerateArtifactsOptions)
    await expect(made).rejects.toThrow(message)
    expect(existsSync(artifactDirectory)).toBe(false)
  })
})
