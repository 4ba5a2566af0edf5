import { readFileSync } from 'node:fs'
import type { generateArtifacts } from 'ts-trainer'
import { createEngine, type Engine, type GenerateArtifactsOptions, Tensor, setLogLevel } from 'ts-trainer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quietTrainer } from '../helpers/quietTrainer'
import { generated, mlpFile, namesOf, read } from './generated'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

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
