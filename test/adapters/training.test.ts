// a model with low-rank adapters in the Trainer: what is trained, what is kept, and what a checkpoint has
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSafetensors } from '../../src/files/safetensors'
import {
  AutoModelForSequenceClassification,
  getPeftModel,
  type LoraConfig,
  PeftModel,
  type PreTrainedModel,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

/** Rows of three to six tokens, padded to six. */
const rows = Array.from({ length: 12 }, (_, i) => ({
  input_ids: Array.from({ length: 6 }, (_unused, at) => (at < 3 + (i % 4) ? 1 + ((7 * i + 3 * at) % 29) : 0)),
  attention_mask: Array.from({ length: 6 }, (_unused, at) => (at < 3 + (i % 4) ? 1 : 0)),
  label: i % 2,
}))
const lora: LoraConfig = { r: 2, loraAlpha: 4, loraDropout: 0.2, targetModules: ['query', 'value'], bias: 'lora_only' }
const adapted = (options: LoraConfig = lora): PeftModel =>
  getPeftModel(tinyModel({ num_hidden_layers: 2, hidden_dropout_prob: 0.1 }), options)

const trainerOf = (model: PreTrainedModel, args: Partial<TrainingArgumentsOptions> = {}) =>
  quietTrainer({
    model,
    args: {
      outputDir: temporaryFolder(),
      perDeviceTrainBatchSize: 4,
      numTrainEpochs: 3,
      learningRate: 0.02,
      loggingSteps: 1,
      threads: 1,
      ...args,
    },
    trainDataset: rows,
    evalDataset: rows,
  })

const numbersOf = (model: PreTrainedModel, name: string): readonly number[] => [...model.parameter(name).data]
const losses = (trainer: ReturnType<typeof trainerOf>): unknown[] => trainer.state.logHistory.map(({ loss }) => loss)

describe('training', () => {
  it('changes the adapters and the head, and leaves the base and its model as they are', async () => {
    const base = tinyModel()
    const before = new Map([...base.parameters].map(([name, { data }]) => [name, [...data]]))
    const model = getPeftModel(base, { r: 2, targetModules: ['query'] })
    const trainer = trainerOf(model)
    await trainer.train()
    for (const [name, numbers] of before) {
      expect([...base.parameter(name).data], name).toEqual(numbers)
      const isTrained = name.startsWith('classifier.')
      expect(
        numbersOf(model, name).every((number, i) => number === numbers[i]),
        name,
      ).toBe(!isTrained)
    }
    const b = numbersOf(model, 'bert.encoder.layer.0.attention.self.query.lora_B.weight')
    expect(b.some(number => number !== 0)).toBe(true)
    await trainer.dispose()
  })

  it('counts what is trained as PEFT does', () => {
    const model = adapted()
    const [trained, all] = [model.numParameters({ onlyTrainable: true }), model.numParameters()]
    expect(trained).toBe(2 * 2 * (2 * 8 + 8 * 2 + 8) + 2 * 8 + 2) // A, B and the bias of four layers, and the head
    const share = ((100 * trained) / all).toFixed(4)
    expect(model.trainableParameters()).toBe(
      `trainable params: ${trained} || all params: ${all.toLocaleString('en-US')} || trainable%: ${share}`,
    )
  })

  it('starts from what the base computes, and draws A by the seed', () => {
    const query = 'bert.encoder.layer.0.attention.self.query'
    const a = (seed?: number): readonly number[] =>
      numbersOf(getPeftModel(tinyModel(), { ...lora, ...(seed !== undefined && { seed }) }), `${query}.lora_A.weight`)
    expect(a()).toEqual(a(42))
    expect(a()).not.toEqual(a(43))
    expect(Math.max(...a().map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(8))
    expect(numbersOf(adapted(), `${query}.lora_B.weight`).every(number => number === 0)).toBe(true)
  })

  it('drops the same, however an update is divided into micro-batches', async () => {
    const whole = trainerOf(adapted(), { perDeviceTrainBatchSize: 4 })
    const parts = trainerOf(adapted(), { perDeviceTrainBatchSize: 1, gradientAccumulationSteps: 4 })
    await whole.train()
    await parts.train()
    const [a, b] = [losses(whole), losses(parts)] as number[][]
    a!.slice(0, 9).forEach((loss, i) => expect(b![i]).toBeCloseTo(loss, 5))
    const plain = trainerOf(adapted({ ...lora, loraDropout: 0 }))
    await plain.train()
    expect(losses(plain)).not.toEqual(a)
    for (const trainer of [whole, parts, plain]) await trainer.dispose()
  })
})

describe('a checkpoint', () => {
  it('has the adapter and the state of what is trained, and no more', async () => {
    const model = adapted()
    const trainer = trainerOf(model, { saveStrategy: 'epoch' })
    await trainer.train()
    const folder = join(trainer.args.outputDir, 'checkpoint-3')
    expect(readdirSync(folder).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'optimizer.safetensors',
      'rng.json',
      'scheduler.json',
      'trainer_state.json',
      'training_args.json',
    ])
    const names = async (file: string): Promise<readonly string[]> => {
      const opened = await openSafetensors(join(folder, file))
      await opened.close()
      return [...opened.tensors.keys()].sort()
    }
    const trained = model.definition.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)
    expect(await names('optimizer.safetensors')).toEqual(
      trained.flatMap(name => [`${name}.exp_avg`, `${name}.exp_avg_sq`]).sort(),
    )
    const stored = trained.map(name => `base_model.model.${name.replace(/(query|value)\.bias$/, '$1.base_layer.bias')}`)
    expect(await names('adapter_model.safetensors')).toEqual(stored.sort())
    await trainer.dispose()
  })

  it('resumes to the same losses and weights, bit for bit', async () => {
    const outputDir = temporaryFolder()
    const whole = trainerOf(adapted(), { outputDir, saveStrategy: 'epoch' })
    await whole.train()
    const resumed = trainerOf(adapted(), { outputDir: temporaryFolder() })
    await resumed.train({ resumeFromCheckpoint: join(outputDir, 'checkpoint-6') })
    expect(losses(resumed).slice(-4)).toEqual(losses(whole).slice(-4))
    for (const [name, { data }] of whole.model.parameters)
      expect([...data], name).toEqual(numbersOf(resumed.model, name))
    for (const trainer of [whole, resumed]) await trainer.dispose()
  })

  it('is the best model at the end, and is refused for another adapter', async () => {
    const outputDir = temporaryFolder()
    const options = { evalStrategy: 'epoch', saveStrategy: 'epoch', loadBestModelAtEnd: true, learningRate: 3 } as const
    const trainer = trainerOf(adapted(), { outputDir, ...options })
    await trainer.train()
    const { bestMetric, bestModelCheckpoint } = trainer.state
    expect(bestModelCheckpoint).not.toBe(join(outputDir, 'checkpoint-9')) // so large a rate makes it worse
    expect((await trainer.evaluate())['eval_loss']).toBe(bestMetric)
    const other = trainerOf(adapted({ ...lora, targetModules: ['key'] }))
    await expect(other.train({ resumeFromCheckpoint: bestModelCheckpoint! })).rejects.toThrow(/checkpoint-\d.*query/)
    for (const each of [trainer, other]) await each.dispose()
  })
})

describe('a saved adapter', () => {
  it('is opened with its base, and merged gives a model like any other', async () => {
    const [base, folder, merged] = [temporaryFolder(), temporaryFolder(), temporaryFolder()]
    await tinyModel().savePretrained(base)
    const model = getPeftModel(await AutoModelForSequenceClassification.fromPretrained(base), lora)
    const trainer = trainerOf(model)
    await trainer.train()
    await trainer.saveModel(folder)
    expect(existsSync(join(folder, 'config.json'))).toBe(false)
    expect(JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))).toMatchObject({
      base_model_name_or_path: base,
      bias: 'lora_only',
      modules_to_save: ['classifier', 'score'],
      peft_type: 'LORA',
      r: 2,
      target_modules: ['query', 'value'],
      task_type: 'SEQ_CLS',
    })
    const opened = await AutoModelForSequenceClassification.fromPretrained(folder)
    expect(opened).toBeInstanceOf(PeftModel)
    for (const [name, { data }] of model.parameters) expect(numbersOf(opened, name), name).toEqual([...data])
    await model.mergeAndUnload().savePretrained(merged)
    const plain = await AutoModelForSequenceClassification.fromPretrained(merged)
    expect(plain).not.toBeInstanceOf(PeftModel)
    const predict = async (each: PreTrainedModel): Promise<number[]> => {
      const predictor = trainerOf(each)
      const { predictions } = await predictor.predict(rows)
      await predictor.dispose()
      return [...(predictions.data as Float32Array)]
    }
    const expected = await predict(model)
    expect(await predict(opened)).toEqual(expected)
    ;(await predict(plain)).forEach((number, i) => expect(number).toBeCloseTo(expected[i]!, 5))
    await trainer.dispose()
  })

  it.each<[string, LoraConfig, RegExp]>([
    [
      'no such layer',
      { targetModules: ['q_proj'] },
      /getPeftModel\(\): targetModules is \["q_proj"\].*"query", "key", "value", "dense"/s,
    ],
    ['no such part', { modulesToSave: ['clasifier'] }, /modulesToSave names "clasifier".*Did you mean "classifier"\?/],
    ["a task that is not the head's", { taskType: 'TOKEN_CLS' }, /taskType is 'TOKEN_CLS'.*give 'SEQ_CLS'/],
    ['a pattern that is none', { targetModules: '(' }, /targetModules: '\(' is not a regular expression/],
    ['a pattern that never ends', { targetModules: '(.+)+(.+)+(.+)+(.+)+!' }, /takes more than 1000 ms/],
    ['half a rank', { r: 1.5 }, /r is 1\.5; a whole number above 0/],
  ])('%s is refused', (_, options, message) => {
    expect(() => getPeftModel(tinyModel(), options)).toThrow(message)
  })

  it('an adapter on an adapter is refused, and so is another vocabulary', () => {
    expect(() => getPeftModel(adapted(), lora)).toThrow(/has an adapter already/)
    expect(() => (adapted() as PreTrainedModel).resizeTokenEmbeddings(50)).toThrow(/before getPeftModel/)
  })
})
