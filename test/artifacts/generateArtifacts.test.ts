import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AutoModelForTokenClassification,
  createEngine,
  encode,
  type Engine,
  generateArtifacts,
  type GenerateArtifactsOptions,
  GraphBuilder,
  Tensor,
  setLogLevel,
} from 'ts-trainer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { runCommand } from '../../src/cli/commands'
import { type RawModel, readModel } from '../../src/onnx/readModel'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

const read = (path: string): RawModel => readModel(readFileSync(path))
const namesOf = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name)

/** x [rows, 2] → logits [rows, 3], and a value that no loss depends on. */
function mlpFile(): string {
  const graph = new GraphBuilder('mlp')
  const x = graph.input('x', 'float32', ['rows', 2])
  const weight = graph.initializer('weight', new Tensor('float32', Float32Array.of(1, -2, 0.5, 0.25, 1.5, -1), [2, 3]))
  const bias = graph.initializer('bias', new Tensor('float32', Float32Array.of(0.1, 0.2, -0.3), [3]))
  const apart = graph.initializer('apart', new Tensor('float32', Float32Array.of(1, 2), [2]))
  const logits = graph.add(graph.matMul(x, weight), bias)
  const total = graph.sum(graph.mul(logits, logits))
  const file = join(temporaryFolder(), 'mlp.onnx')
  writeFileSync(file, encode(graph.build({ logits, total, scaled: graph.mul(x, apart) })).model)
  return file
}

async function generated(
  options: GenerateArtifactsOptions = {},
  model: Parameters<typeof generateArtifacts>[0] = tinyModel(),
): ReturnType<typeof generateArtifacts> {
  const artifactDirectory = temporaryFolder()
  return generateArtifacts(model, { loss: 'cross-entropy', optimizer: 'adamw', artifactDirectory, ...options })
}

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
    [{ loss: 'cross_entropy' }, 'Did you mean "cross-entropy"?'],
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

describe('in ordinary operators', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await createEngine({ threads: 1 })
  })
  afterAll(() => engine.dispose())

  type Values = Record<string, Tensor>
  const runner = async (path: string): Promise<(values: Values) => Promise<Values>> => {
    const program = await engine.load(readFileSync(path))
    const names = namesOf(read(path).graph.inputs)
    return async values =>
      (await program.run(Object.fromEntries(names.map(name => [name, values[name]!])))) as unknown as Values
  }

  /** The losses of some updates, each of the same batches. */
  async function losses(
    files: Awaited<ReturnType<typeof generateArtifacts>>,
    batches: readonly Values[],
    rate: number,
    updates: number,
  ): Promise<number[]> {
    const [initial, training, optimizer] = await Promise.all(
      [files.initialModel!, files.trainingModel, files.optimizerModel!].map(runner),
    )
    const values = await initial!({})
    const found: number[] = []
    for (let step = 1; step <= updates; step++) {
      for (const [i, batch] of batches.entries()) {
        const reset = new Tensor('bool', Uint8Array.of(Number(i === 0)), [1])
        const results = await training!({ ...values, ...batch, lazy_reset_grad: reset })
        found.push(Number(results.loss!.data[0]))
        for (const [name, value] of Object.entries(results))
          values[name.replace('_grad.accumulation.out', '_grad.accumulation.buffer')] = value
      }
      const scalars = {
        learning_rate: new Tensor('float32', Float32Array.of(rate), [1]),
        step: new Tensor('int64', BigInt64Array.of(BigInt(step)), [1]),
      }
      const updated = await optimizer!({ ...values, ...scalars })
      for (const [name, value] of Object.entries(updated)) values[name.replace(/\.out$/, '')] = value
    }
    return found
  }

  it("trains to the Trainer's losses", async () => {
    const rows = [
      { input_ids: [2, 7, 8, 3], attention_mask: [1, 1, 1, 1], token_type_ids: [0, 0, 1, 1], labels: 1 },
      { input_ids: [2, 9, 3, 0], attention_mask: [1, 1, 1, 0], token_type_ids: [0, 0, 0, 0], labels: 0 },
    ]
    const column = (name: 'input_ids' | 'attention_mask' | 'token_type_ids'): Tensor =>
      new Tensor(
        'int64',
        BigInt64Array.from(
          rows.flatMap(row => row[name]),
          BigInt,
        ),
        [2, 4],
      )
    const batch = {
      input_ids: column('input_ids'),
      attention_mask: column('attention_mask'),
      token_type_ids: column('token_type_ids'),
      labels: new Tensor('int64', BigInt64Array.of(1n, 0n), [2]),
    }
    const optimizer = { name: 'adamw', mode: 'torch', epsilon: 1e-8, weightDecay: 0.1, maxGradNorm: 0.5 } as const
    const found = await losses(await generated({ optimizer }), [batch], 0.01, 6)
    const trainer = quietTrainer({
      model: tinyModel(),
      args: {
        outputDir: temporaryFolder(),
        perDeviceTrainBatchSize: 2,
        maxSteps: 6,
        loggingSteps: 1,
        learningRate: 0.01,
        weightDecay: 0.1,
        maxGradNorm: 0.5,
        lrSchedulerType: 'constant',
        saveStrategy: 'no',
      },
      trainDataset: rows,
    })
    // artifacts decay every parameter, where a Trainer spares biases and normalizations
    trainer.getDecayParameterNames = () => namesOf(trainer.model.definition.parameters)
    await trainer.train()
    const logged = trainer.state.logHistory.flatMap(({ loss }) => (loss === undefined ? [] : [Number(loss)]))
    await trainer.dispose()
    expect(logged).toHaveLength(6)
    for (const [i, loss] of found.entries()) expect(loss).toBeCloseTo(logged[i]!, 4)
    expect(found[5]).toBeLessThan(found[0]! - 0.05)
  })

  /** The loss of the mlp by hand, and its gradient as a function of the prediction. */
  const byHand: Readonly<Record<string, (x: number, y: number) => number>> = {
    mse: (x, y) => (x - y) ** 2,
    l1: (x, y) => Math.abs(x - y),
    'bce-with-logits': (x, y) => Math.log(1 + Math.exp(x)) - x * y,
  }

  it.each(Object.keys(byHand))('adds up gradients of batches, by %s', async loss => {
    const files = await generated({ loss: loss as 'mse', optimizer: 'sgd' }, mlpFile())
    const batch = (x: number[], target: number[]): Values => ({
      x: new Tensor('float32', Float32Array.from(x), [1, 2]),
      target: new Tensor('float32', Float32Array.from(target), [1, 3]),
    })
    const given = [
      [
        [0.5, -1],
        [1, 0, 1],
      ],
      [
        [2, 0.25],
        [0, 1, 1],
      ],
    ] as const
    const rate = 0.05
    const found = await losses(
      files,
      given.map(([x, y]) => batch([...x], [...y])),
      rate,
      2,
    )
    // by differences, in float64
    const start = [1, -2, 0.5, 0.25, 1.5, -1, 0.1, 0.2, -0.3]
    const lossOf = (p: readonly number[], at: number): number => {
      const [[a, b], y] = given[at]!
      const terms = y.map((target, i) => byHand[loss]!(a * p[i]! + b * p[3 + i]! + p[6 + i]!, target))
      return terms.reduce((sum, term) => sum + term) / 3
    }
    const slope = (p: readonly number[], i: number): number => {
      const moved = (by: number): number[] => p.map((value, at) => (at === i ? value + by : value))
      return [0, 1].reduce((sum, at) => sum + (lossOf(moved(1e-6), at) - lossOf(moved(-1e-6), at)) / 2e-6, 0)
    }
    const next = start.map((value, i) => value - rate * slope(start, i))
    const expected = [lossOf(start, 0), lossOf(start, 1), lossOf(next, 0), lossOf(next, 1)]
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 5)
  })

  it('has a custom loss, of classes that do not count', async () => {
    const options: GenerateArtifactsOptions = {
      loss: ({ logits }, labels, count, graph) => {
        const counted = graph.cast(graph.not(graph.equal(labels, -100)), 'float32')
        return graph.div(graph.sum(graph.mul(graph.reduceSum(logits, [1]), counted)), count)
      },
      optimizer: 'sgd',
    }
    const files = await generated(options, mlpFile())
    const batch = {
      x: new Tensor('float32', Float32Array.of(1, 0, 0, 1), [2, 2]),
      labels: new Tensor('int64', BigInt64Array.of(1n, -100n), [2]),
    }
    const [loss] = await losses(files, [batch], 0.1, 1)
    expect(loss).toBeCloseTo(1 - 2 + 0.5 + 0, 5) // of the first row: its weights and the biases, which sum up to 0
  })
})

describe('ts-trainer artifacts', () => {
  const run = async (...words: string[]): Promise<{ status: number; out: string[]; error: string }> => {
    const out: string[] = []
    let error = ''
    const status = await runCommand(['artifacts', ...words], {
      out: text => out.push(text),
      error: text => (error += text),
    })
    return { status, out, error }
  }

  it('prints what it wrote', async () => {
    const [model, output] = [temporaryFolder(), temporaryFolder()]
    await tinyModel().savePretrained(model)
    const flags = ['--model', model, '--loss=cross-entropy', '--optimizer', 'adamw', '--output', output]
    const { status, out, error } = await run(...flags, '--trainable', 'classifier', '--dialect', 'onnxruntime-training')
    expect([status, error]).toEqual([0, ''])
    expect(out).toEqual(
      ['training_model.onnx', 'eval_model.onnx', 'optimizer_model.onnx', 'checkpoint'].map(name => `${output}/${name}`),
    )
    expect([...(await readCheckpointFile(out[3]!)).trained.keys()].toSorted()).toEqual([
      'classifier.bias',
      'classifier.weight',
    ])
  })

  it('takes an ONNX file', async () => {
    const output = temporaryFolder()
    const { status, out } = await run(
      '--model',
      mlpFile(),
      '--loss',
      'l1',
      '--output',
      output,
      '--prefix',
      'p_',
      '--nominal',
    )
    expect(status).toBe(0)
    expect(out).toContain(`${output}/p_nominal_checkpoint`)
  })

  it.each([
    [['--modle', 'x'], 'Did you mean --model?'],
    [['--model'], '--model needs a value.'],
    [['--model', 'x'], 'artifacts needs --output.'],
    [['--model', 'x', '--output', 'y', '--task', 'tokens'], 'There is no task "tokens".'],
    [['--model', 'x.onnx', '--output', 'y', '--task', 'masked-lm'], 'an ONNX file has its outputs'],
  ])('refuses %j', async (words, message) => {
    const { status, error } = await run(...words)
    expect(status).toBe(1)
    expect(error).toContain(message)
  })

  it('has a help text', async () => {
    expect((await run('--help')).out[0]).toContain('--dialect')
  })
})
