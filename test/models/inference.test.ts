import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelFromConfig, modelFromFolder } from '../../src/auto/PreTrainedModel'
import { createEngine, type Engine } from '../../src/engine/Engine'
import type { ModelConfig } from '../../src/models/config'
import { check } from '../../src/onnx/check'
import { encode } from '../../src/onnx/encode'
import { inferenceGraph } from '../../src/programs/inference'
import { type Batch, Tensor } from '../../src/tensor'
import { Runner } from '../../src/training/Runner'
import { classes, randomBatch } from '../helpers/batches'
import { batchOf, fixtures, type OracleCase, readJson } from '../helpers/oracle'
import { familyNames, oracleModel } from '../helpers/oracleModels'
import { tinyConfig } from '../helpers/tinyModel'
import { evaluateBatch } from '../helpers/compute'

let engine: Engine
beforeAll(async () => void (engine = await createEngine({ threads: 1 })))
afterAll(() => engine.dispose())

/** Batches of other numbers of rows and other lengths, all padded on the right as a tokenizer does it. */
const batches: readonly Batch[] = [
  randomBatch([6, 2, 9, 1, 5], classes(0, 0, 0, 0, 0), { seed: 21 }),
  randomBatch([10, 10], classes(0, 0), { seed: 22 }),
  randomBatch([1], classes(0), { seed: 23 }),
  randomBatch([3, 1, 2], classes(0, 0, 0), { seed: 24, width: 8 }),
  randomBatch([0, 5, 0], classes(0, 0, 0), { seed: 25 }), // rows without real tokens
]

const long = ({ data, dims }: Tensor): Tensor =>
  new Tensor('int64', BigInt64Array.from(data as Int32Array, BigInt), dims)

describe.each(familyNames)('the exported model of %s', family => {
  it('gives the logits of evaluation, on batches of any shape', async () => {
    const model = await oracleModel(family, { hidden_dropout_prob: 0.3, attention_dropout: 0.3 })
    const graph = inferenceGraph(model.definition, name => model.parameter(name))
    check(graph)
    const program = await engine.load(encode(graph).model)
    const segments = ['bert', 'electra', 'albert', 'deberta-v2'].includes(family)
    expect(program.inputs).toEqual(
      ['input_ids', 'attention_mask', ...(segments ? ['token_type_ids'] : [])].map(name => ({
        name,
        dtype: 'int64',
        dims: [-1, -1],
      })),
    )
    expect(program.outputs).toEqual(['logits'])
    const runner = await Runner.create({ model, engine: { threads: 1 } })
    model.decideHead(batches[0]!)
    for (const batch of batches) {
      const { input_ids: ids, attention_mask: mask } = batch
      const given: Batch = {
        ...batch,
        ...(segments && {
          token_type_ids: new Tensor(
            'int32',
            (ids!.data as Int32Array).map((id, i) => (id % 2) * Number(mask!.data[i])),
            ids!.dims,
          ),
        }),
      }
      const { logits } = await evaluateBatch(runner, given)
      const feeds = Object.fromEntries(program.inputs.map(({ name }) => [name, long(given[name]!)]))
      const exported = (await program.run(feeds)).logits as Tensor<'float32'>
      expect(exported.dims).toEqual([ids!.dims[0], 3])
      const largest = Math.max(...logits.data.map(Math.abs))
      exported.data.forEach((value, i) => expect(Math.abs(value - logits.data[i]!)).toBeLessThanOrEqual(2e-6 * largest))
    }
    await runner.dispose()
  })
})

// any folder of such a case.json is a test; test/models/cases.test.ts holds evaluation against the same values
const hollow = readdirSync(fixtures).filter(name => name.includes('hollow'))
it.each(hollow)(
  'an exported model gives the logits of PyTorch for rows all of whose tokens are masked: %s',
  async name => {
    const model = await modelFromFolder(join(fixtures, name), readJson<ModelConfig>(name, 'config.json'))
    const { inputs, outputs } = readJson<OracleCase>(name, 'case.json')
    const batch = batchOf(inputs)
    model.decideHead(batch)
    const program = await engine.load(encode(inferenceGraph(model.definition, one => model.parameter(one))).model)
    const segments = { token_type_ids: Tensor.zeros('int32', batch.input_ids!.dims) }
    const given = (factor: number): Record<string, Tensor> => {
      const mask = new Tensor(
        'int32',
        (batch.attention_mask!.data as Int32Array).map(value => value * factor),
        batch.attention_mask!.dims,
      )
      const all: Batch = { ...segments, ...batch, attention_mask: mask }
      return Object.fromEntries(program.inputs.map(({ name: input }) => [input, long(all[input]!)]))
    }
    for (const factor of [1, 3]) {
      const { logits } = await program.run(given(factor)) // PyTorch asks whether a mask is 0
      ;(logits as Tensor).data.forEach((value, i) => expect(Number(value)).toBeCloseTo(outputs.logits.data[i]!, 5))
    }
  },
)

describe('the exported model', () => {
  const config = { ...tinyConfig, model_type: 'roberta', vocab_size: 23, type_vocab_size: 1 }

  it('has one logit for a regression, and its weights under their own names', async () => {
    const model = modelFromConfig({ ...config, id2label: { 0: 'value' } })
    const graph = inferenceGraph(model.definition, name => model.parameter(name))
    const weights = [...graph.initializers.keys()].filter(name => model.parameters.has(name))
    expect(weights.toSorted()).toEqual([...model.parameters.keys()].toSorted())
    const program = await engine.load(encode(graph).model)
    const logits = (
      await program.run({
        input_ids: Tensor.from('int64', [[0, 5, 2]]),
        attention_mask: Tensor.from('int64', [[1, 1, 1]]),
      })
    ).logits!
    expect(logits.dims).toEqual([1, 1])
  })

  it('takes token types where RoBERTa has several', () => {
    const model = modelFromConfig({ ...config, type_vocab_size: 2 })
    expect(inferenceGraph(model.definition, name => model.parameter(name)).inputs.map(({ name }) => name)).toEqual([
      'input_ids',
      'attention_mask',
      'token_type_ids',
    ])
  })
})
