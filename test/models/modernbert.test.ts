// what ModernBERT has alone: local attention, padding on the left, configs of older versions (values of transformers 5.24, and
// of 4.57 where 5.24 cannot read the config)
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import { modelFromConfig, modelFromFolder } from '../../src/auto/PreTrainedModel'
import { createEngine } from '../../src/engine/Engine'
import type { Task } from '../../src/heads/Head'
import { filler } from '../../src/heads/tokenLabels'
import { completeConfig } from '../../src/models/checkConfig'
import type { ModelConfig } from '../../src/models/config'
import { initialValues } from '../../src/models/initialize'
import { architectures } from '../../src/models/registry'
import { encode } from '../../src/onnx/encode'
import { inferenceGraph } from '../../src/programs/inference'
import { AutoModelForSequenceClassification, Dataset } from '../../src/index'
import { type Batch, Tensor } from '../../src/tensor'
import { Runner } from '../../src/training/Runner'
import { rowsIn, stack } from '../heads/taskBatches'
import { expectClose } from '../helpers/expectClose'
import { batchOf } from '../helpers/oracle'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

type Outputs = Record<string, Plain>
type Side = 'right' | 'left'
interface Window {
  readonly inputs: Record<Side, Record<string, Plain>>
  readonly models: Record<string, Partial<Record<Side, Outputs>>>
}
const root = join(import.meta.dirname, '../fixtures/modernbert')
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(root, ...path), 'utf8')) as T
const { inputs, models } = read<Window>('case.json')
const tasks: Readonly<Record<string, Task>> = {
  ModernBertForTokenClassification: 'token-classification',
  ModernBertForMaskedLM: 'masked-lm',
  ModernBertForQuestionAnswering: 'question-answering',
}
const engine = await createEngine({ threads: 1 })
afterAll(() => void engine.dispose())

/** The values of some columns, [from, to), of [rows, length, …]; all where the name has none. */
function columnsOf(name: string, { data, dims }: Tensor): number[] {
  const range = /\[:, (\d+):(\d+)\]/.exec(name)
  const values = Array.from(data as Float32Array)
  if (range === null) return values
  const width = dims[2]!
  return values.filter((_, i) => {
    const column = Math.floor(i / width) % dims[1]!
    return column >= Number(range[1]) && column < Number(range[2])
  })
}

describe.each(Object.entries(models))('%s', (name, sides) => {
  it.each(Object.keys(sides) as Side[])('padded on the %s', async side => {
    const config = read<ModelConfig & { architectures: string[] }>(name, 'config.json')
    const task = tasks[config.architectures[0]!] ?? 'sequence-classification'
    const model = await modelFromFolder(join(root, name), config, {}, task)
    const runner = await Runner.create({ model, engine: { threads: 1 } })
    const batch = batchOf(inputs[side])
    const predictions = await (await runner.forward(runner.feed(batch, String))).predictions()
    await runner.dispose()
    const graph = inferenceGraph(model.definition, parameter => model.parameter(parameter))
    const exported = await engine.load(encode(graph).model)
    const columns = ([, { data, dims }]: [string, Tensor]): Tensor =>
      new Tensor('int64', BigInt64Array.from(data as Int32Array, BigInt), dims)
    const named = Object.entries(batch as Batch) as [string, Tensor][]
    const outputs = await exported.run(Object.fromEntries(named.map(entry => [entry[0], columns(entry)])))
    for (const [output, expected] of Object.entries(sides[side]!)) {
      if (output === 'loss') continue
      const found = columnsOf(output, predictions[output.split('[')[0]!]!)
      const saved = columnsOf(output, outputs[output.split('[')[0]!] as Tensor)
      expect(found).toHaveLength(expected.data.length)
      const largest = Math.max(...expected.data.map(Math.abs))
      expected.data.forEach((value, i) => {
        if (found[i] === filler) return // padding
        expect(Math.abs(found[i]! - value), `${output} ${i}`).toBeLessThan(2e-5 * largest)
        expect(Math.abs(saved[i]! - value), `${output} ${i} of the exported model`).toBeLessThan(2e-5 * largest)
      })
    }
  })
})

it.each(['cls', 'mean'])('pooled by %s, a row gives the same alone as in a batch padded on either side', async name => {
  const model = await AutoModelForSequenceClassification.fromPretrained(join(root, name))
  const trainer = quietTrainer({
    model,
    args: { outputDir: temporaryFolder(), perDeviceEvalBatchSize: 1, threads: 1 },
    dataCollator: stack,
  })
  const rows = [...rowsIn(batchOf(inputs.right))] as { input_ids: number[]; attention_mask: number[] }[]
  const alone = rows.map(row => ({
    input_ids: row.input_ids.filter((_, at) => row.attention_mask[at] === 1),
    attention_mask: row.attention_mask.filter(one => one === 1),
  }))
  const { predictions } = await trainer.predict(Dataset.fromRows(alone))
  await trainer.dispose()
  for (const side of ['right', 'left'] as const) {
    const expected = Float32Array.from(models[name]![side]!['logits']!.data)
    expectClose(predictions.data as Float32Array, expected, 2e-5, side)
  }
})

describe('a config', () => {
  const tiny: ModelConfig = {
    model_type: 'modernbert',
    vocab_size: 300,
    hidden_size: 16,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    intermediate_size: 12,
    pad_token_id: 0,
  }
  it.each<[Record<string, unknown>, string]>([
    [{ classifier_pooling: 'max' }, 'has "classifier_pooling" "max", but only "cls" and "mean" are there.'],
    [{ layer_types: ['full_attention'] }, 'has "layer_types" ["full_attention"], which are 1, but there are 3 layers.'],
    [{ layer_types: ['full_attention', 'chunked_attention', 'full_attention'] }, 'which has to be a list of'],
    [{ rope_parameters: { rope_theta: 1 } }, 'which has to be an object of "full_attention" and "sliding_attention"'],
    [
      { rope_parameters: { full_attention: { rope_type: 'yarn', factor: 2 } } },
      'whose "full_attention" is of another type than "default": not there.',
    ],
    [{ rope_parameters: { sliding_attention: { rope_theta: 0 } } }, 'needs a "rope_theta" above 0'],
    [
      { rope_scaling: { type: 'linear', factor: 2 } },
      'has "rope_scaling" {"type":"linear","factor":2}: scaled positions',
    ],
    [{ num_attention_heads: 16 }, 'which gives heads of width 1, but positions turn pairs of numbers.'],
    [{ sparse_pred_ignore_index: -1 }, 'has "sparse_pred_ignore_index" -1: a label that does not count is -100.'],
    [{ local_rope_theta: 'far' }, 'needs "local_rope_theta" as a number of at least 0 or null, but it is "far".'],
    [
      { initializer_cutoff_factor: 0 },
      'has "initializer_cutoff_factor" 0, but less than 0.1 deviations are not drawn.',
    ],
  ])('%j is refused', (fields, message) => {
    expect(() => completeConfig({ ...tiny, ...fields }, architectures.modernbert!.config)).toThrow(message)
  })

  it('is saved as Python can read it', () => {
    const older = { ...tiny, global_rope_theta: 5000, local_rope_theta: null }
    expect(modelFromConfig(older).config.local_rope_theta).toBe(5000)
    expect(modelFromConfig({ ...older, local_rope_theta: 70 }).config.local_rope_theta).toBe(70)
    expect(modelFromConfig(tiny).config).not.toHaveProperty('local_rope_theta')
  })

  it('gives weights that start as in _init_weights: cut off, smaller where they lead out of a layer', () => {
    const { definition } = modelFromConfig(tiny)
    const values = (name: string): number[] =>
      Array.from(
        initialValues(
          definition.parameters.find(parameter => parameter.name === name)!,
          3,
        ),
      )
    const table = values('model.embeddings.tok_embeddings.weight')
    expect(Math.max(...table.map(Math.abs))).toBeLessThanOrEqual(0.04)
    const deviation = (of: number[]): number => Math.sqrt(of.reduce((sum, v) => sum + v * v, 0) / of.length)
    expect(deviation(table)).toBeCloseTo(0.02 * 0.8796, 3) // of a normal distribution cut off at two deviations
    expect(table.slice(0, 16).every(value => value !== 0)).toBe(true) // the padding's row too, as in Python
    expect(deviation(values('model.layers.1.mlp.Wo.weight'))).toBeCloseTo((0.02 / Math.sqrt(6)) * 0.8796, 3)
    expect(Math.max(...values('classifier.weight').map(Math.abs))).toBeLessThanOrEqual(0.5)
    expect(deviation(values('classifier.weight'))).toBeGreaterThan(0.15)
    expect(new Set(values('model.final_norm.weight'))).toEqual(new Set([1]))
  })
})
