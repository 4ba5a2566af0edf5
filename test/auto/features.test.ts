// encoders without a head, against PyTorch's (scripts/fixtures/features.py)
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  Dataset,
  type PreTrainedModel,
  Tensor,
} from '../../src/index'
import { createEngine } from '../../src/engine/Engine'
import { filler } from '../../src/heads/tokenLabels'
import { architectures } from '../../src/models/registry'
import { stack } from '../heads/taskBatches'
import { fixtures } from '../helpers/oracle'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig } from '../helpers/tinyModel'

interface Case {
  readonly name: string
  readonly input_ids: number[][]
  readonly attention_mask: number[][]
  readonly last_hidden_state: Plain
  readonly pooler_output: Plain | null
}
const { families } = JSON.parse(readFileSync(join(fixtures, '../features.json'), 'utf8')) as {
  families: Record<string, Case>
}

const rowsOf = ({ input_ids, attention_mask }: Case): Dataset<object> =>
  Dataset.fromRows(
    input_ids.map((ids, row) => ({ input_ids: ids, attention_mask: attention_mask[row]! })),
  ) as unknown as Dataset<object>

function expectClose({ data, dims }: Tensor, { data: expected, shape }: Plain, skipped?: number): void {
  expect(dims).toEqual(shape)
  expected.forEach((value, i) => {
    if (data[i] !== skipped) expect(Number(data[i]), String(i)).toBeCloseTo(value, 5)
  })
}

it('every family has them', () => {
  const bases = Object.values(architectures).map(({ base }) => base?.className)
  expect(Object.values(families).map(({ name }) => name)).toEqual(bases)
})

describe.each(Object.entries(families))('the features of %s', (family, oracle) => {
  const load = (): ReturnType<typeof AutoModel.fromPretrained> =>
    AutoModel.fromPretrained(join(fixtures, `task-${family}-multiple-choice`))

  it("are PyTorch's, whatever the batches", async () => {
    for (const perDeviceEvalBatchSize of [1, 8]) {
      const trainer = quietTrainer({
        model: (await load()) as PreTrainedModel<unknown> as PreTrainedModel,
        args: { outputDir: temporaryFolder(), threads: 1, perDeviceEvalBatchSize },
        dataCollator: stack,
      })
      const { predictions } = await trainer.predict(rowsOf(oracle))
      const [tokens, pooled] = [predictions].flat() as Tensor[]
      expectClose(tokens!, oracle.last_hidden_state, filler)
      expect(Array.from(tokens!.data as Float32Array).filter(value => value === filler)).toHaveLength(6 * 8)
      expect(pooled === undefined).toBe(oracle.pooler_output === null)
      if (pooled !== undefined) expectClose(pooled, oracle.pooler_output!)
      await trainer.dispose()
    }
  })

  it('are those of the saved model, with its padding', async () => {
    const model = await load()
    const folder = temporaryFolder()
    await model.savePretrained(folder)
    expect(JSON.parse(readFileSync(`${folder}/config.json`, 'utf8'))).toMatchObject({ architectures: [oracle.name] })
    expect((await AutoModel.fromPretrained(folder)).parameters).toEqual(model.parameters)
    const engine = await createEngine({ threads: 1 })
    const program = await engine.load(readFileSync(`${folder}/onnx/model.onnx`))
    const long = (rows: number[][]): Tensor => Tensor.from('int64', rows)
    const zeros = oracle.input_ids.map(row => row.map(() => 0))
    const given = {
      input_ids: long(oracle.input_ids),
      attention_mask: long(oracle.attention_mask),
      token_type_ids: long(zeros),
    }
    const inputs = Object.entries(given).filter(([name]) => program.inputs.some(input => input.name === name))
    const outputs = (await program.run(Object.fromEntries(inputs))) as Record<string, Tensor>
    expectClose(outputs.last_hidden_state!, oracle.last_hidden_state)
    if (oracle.pooler_output === null) expect(Object.keys(outputs)).toEqual(['last_hidden_state'])
    else expectClose(outputs.pooler_output!, oracle.pooler_output)
    await engine.dispose()
  })
})

describe('a model without a head', () => {
  it('is not trained, and says what to use instead', async () => {
    const trainer = quietTrainer({
      model: AutoModel.fromConfig(tinyConfig) as PreTrainedModel<unknown> as PreTrainedModel,
      args: { outputDir: temporaryFolder(), threads: 1, maxSteps: 1 },
      trainDataset: rowsOf(families.bert!),
      dataCollator: stack,
    })
    await expect(trainer.train()).rejects.toThrow(
      'A model of AutoModel gives features: it has no head, and so no loss. To train it, load the same folder with ' +
        'AutoModelForSequenceClassification or another AutoModelFor….',
    )
    await trainer.dispose()
  })

  it('takes the encoder of a model with one, and gives it to one', async () => {
    const classifier = AutoModelForSequenceClassification.fromConfig(tinyConfig)
    const folder = temporaryFolder()
    await classifier.savePretrained(folder)
    const model = await AutoModel.fromPretrained(folder)
    const other = temporaryFolder()
    await model.savePretrained(other)
    const again = await AutoModelForSequenceClassification.fromPretrained(other, { seed: 3 })
    const encoderOf = ({ parameters }: PreTrainedModel): unknown =>
      [...parameters].filter(([name]) => name.startsWith('bert.'))
    expect(encoderOf(again)).toEqual(encoderOf(classifier))
  })

  it('has the defaults of its family, as have words', () => {
    const { vocab_size: _, hidden_size: __, num_attention_heads: ___, ...rest } = tinyConfig
    expect(AutoModel.fromConfig(rest).definition.head.width).toBe(768)
    expect(AutoModelForMaskedLM.fromConfig(rest).definition.head.width).toBe(30_522)
  })
})
