// what is saved beside an adapter: what was trained with it, and what its base's folder does not have
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSafetensors } from '../../src/files/safetensors'
import { writeSafetensors } from '../../src/files/writeSafetensors'
import {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  getPeftModel,
  type LoraConfig,
  PeftModel,
  pipeline,
  type PreTrainedModel,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

const rows = Array.from({ length: 8 }, (_, i) => ({
  input_ids: [1, 2 + i, 20 - i, 5],
  attention_mask: [1, 1, 1, 1],
  label: i % 2,
}))
const options: LoraConfig = { r: 2, targetModules: ['query'] }

const trainerOf = (model: PreTrainedModel, outputDir = temporaryFolder()) => {
  const args = { outputDir, maxSteps: 4, saveSteps: 2, learningRate: 0.1, threads: 1, saveStrategy: 'steps' } as const
  return quietTrainer({ model, args, trainDataset: rows })
}

/** A base in a folder, opened. */
async function baseIn(folder = temporaryFolder()): Promise<PreTrainedModel> {
  await tinyModel().savePretrained(folder)
  return AutoModelForSequenceClassification.fromPretrained(folder)
}

async function savedAs(model: PeftModel<unknown>): Promise<{ folder: string; modules: readonly string[] }> {
  const folder = temporaryFolder()
  await model.savePretrained(folder)
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as { modules_to_save: string[] }
  return { folder, modules: config.modules_to_save }
}

/** @throws where a weight of one model is another in the other. */
function expectTheSame(found: PreTrainedModel<unknown>, expected: PreTrainedModel<unknown>): void {
  for (const [name, { data }] of expected.parameters) expect([...found.parameter(name).data], name).toEqual([...data])
}

describe('what is unfrozen beside an adapter', () => {
  it('is trained, saved, opened, and saved again', async () => {
    const base = await baseIn()
    const model = getPeftModel(base, options)
    model.unfreeze('bert.pooler')
    const trainer = trainerOf(model)
    await trainer.train()
    expect(model.parameter('bert.pooler.dense.weight').data).not.toEqual(
      base.parameter('bert.pooler.dense.weight').data,
    )
    const { folder, modules } = await savedAs(model)
    expect(modules).toEqual(['classifier', 'score', 'bert.pooler.dense'])
    const opened = (await AutoModelForSequenceClassification.fromPretrained(folder)) as PeftModel
    expectTheSame(opened, model)
    expect(opened.trainableParameters()).toBe(model.trainableParameters())
    expectTheSame(await AutoModelForSequenceClassification.fromPretrained((await savedAs(opened)).folder), model)
    model.freeze('bert.pooler')
    expectTheSame(await AutoModelForSequenceClassification.fromPretrained((await savedAs(model)).folder), model)
    await trainer.dispose()
  })

  it('is saved where it is a single parameter, or a layer that has an adapter', async () => {
    const model = getPeftModel(await baseIn(), options)
    const query = 'bert.encoder.layer.0.attention.self.query'
    model.unfreeze(['bert.embeddings.LayerNorm.bias', query])
    for (const name of ['bert.embeddings.LayerNorm.bias', `${query}.weight`]) model.parameter(name).data.fill(0.5)
    expect(model.base.parameter(`${query}.weight`).data[0]).not.toBe(0.5)
    const { folder, modules } = await savedAs(model)
    expect(modules).toEqual(['classifier', 'score'])
    const opened = await AutoModelForSequenceClassification.fromPretrained(folder)
    expectTheSame(opened, model)
    expectTheSame(
      await AutoModelForSequenceClassification.fromPretrained((await savedAs(opened as PeftModel)).folder),
      model,
    )
  })

  it('leaves a table of words shared that the head has too', async () => {
    const folder = temporaryFolder()
    await AutoModelForMaskedLM.fromConfig(tinyConfig).savePretrained(folder)
    const model = getPeftModel(await AutoModelForMaskedLM.fromPretrained(folder), options)
    model.unfreeze('bert.embeddings')
    model.parameter('bert.embeddings.word_embeddings.weight').data.fill(0.25)
    const saved = await savedAs(model)
    expect(saved.modules).not.toContain('bert.embeddings.word_embeddings')
    const opened = await AutoModelForMaskedLM.fromPretrained(saved.folder)
    expect(opened.config.tie_word_embeddings).not.toBe(false)
    expectTheSame(opened, model)
  })
})

describe('a checkpoint', () => {
  const started = async (change: (model: PeftModel) => void = () => undefined, more: LoraConfig = {}) => {
    const model = getPeftModel(tinyModel(), { ...options, ...more })
    change(model)
    return trainerOf(model)
  }
  const unfrozen = (model: PeftModel): void => model.unfreeze('bert.pooler')

  it.each<[string, Parameters<typeof started>, Parameters<typeof started>, RegExp]>([
    [
      'of more weights',
      [unfrozen],
      [],
      /checkpoint-2 has "bert\.pooler\.dense\.(weight|bias)", .* leaves as the base has them\. Call model\.unfreeze\(\)/,
    ],
    ['of less weights', [], [unfrozen], /checkpoint-2 lacks "bert\.pooler\.dense\.(weight|bias)", .* trains or saves/],
    ['of another α', [], [undefined, { loraAlpha: 9 }], /multiplied by 4 \(r 2, loraAlpha 8\), but by 4\.5 in this/],
    ['of another scale', [], [undefined, { useRslora: true }], /multiplied by 4 .* but by 5\.6.*useRslora/],
  ])('%s is refused', async (_, before, now, message) => {
    const first = await started(...before)
    await first.train()
    const again = await started(...now)
    const resumeFromCheckpoint = join(first.args.outputDir, 'checkpoint-2')
    await expect(again.train({ resumeFromCheckpoint })).rejects.toThrow(message)
    for (const trainer of [first, again]) await trainer.dispose()
  })

  it('of what was unfrozen resumes to the bit', async () => {
    const [whole, resumed] = [await started(unfrozen), await started(unfrozen)]
    await whole.train()
    await resumed.train({ resumeFromCheckpoint: join(whole.args.outputDir, 'checkpoint-2') })
    expectTheSame(resumed.model, whole.model)
    for (const trainer of [whole, resumed]) await trainer.dispose()
  })
})

describe('what the folder of a base lacks', () => {
  const folderOf = async (kind: 'words' | 'tokens'): Promise<string> => {
    const folder = temporaryFolder()
    const cls = kind === 'words' ? AutoModelForMaskedLM : AutoModelForTokenClassification
    await cls.fromConfig(tinyConfig).savePretrained(folder)
    return folder
  }

  it('is trained and saved with an adapter, whatever it was drawn from', async () => {
    const base = await AutoModelForSequenceClassification.fromPretrained(await folderOf('words'), { seed: 7 })
    const model = getPeftModel(base, options)
    const { folder, modules } = await savedAs(model)
    expect(modules).toEqual(['bert.pooler.dense', 'classifier', 'score'])
    expect(model.trainableParameters()).toMatch(/^trainable params: 122 /) // A and B 32, head 18, pooler 72
    const opened = (await AutoModelForSequenceClassification.fromPretrained(folder)) as PeftModel
    expectTheSame(opened, model)
    expect(opened.base.newlyInitialized).toEqual([])
  })

  it('is saved where only parts of a module are meant, and the encoder alone has names of its own', async () => {
    const words = getPeftModel(
      await AutoModelForMaskedLM.fromPretrained(await folderOf('tokens'), { seed: 7 }),
      options,
    )
    words.parameter('cls.predictions.bias').data.fill(0.5)
    const head = await savedAs(words)
    expect(head.modules).toEqual(['cls.predictions.transform.dense', 'cls.predictions.transform.LayerNorm'])
    expectTheSame(await AutoModelForMaskedLM.fromPretrained(head.folder), words)
    const bare = getPeftModel(await AutoModel.fromPretrained(await folderOf('words'), { seed: 7 }), options)
    const encoder = await savedAs(bare)
    expect(encoder.modules).toEqual(['pooler.dense'])
    expectTheSame(await AutoModel.fromPretrained(encoder.folder), bare)
  })

  it('is named where an adapter lacks it too: PEFT saves it only when it is told to', async () => {
    const base = await AutoModelForSequenceClassification.fromPretrained(await folderOf('words'))
    const { folder } = await savedAs(getPeftModel(base, options))
    const file = join(folder, 'adapter_model.safetensors')
    const { tensors } = await readSafetensors(file)
    await writeSafetensors(
      file,
      [...tensors].filter(([name]) => !name.includes('pooler')),
      {},
    )
    const config = join(folder, 'adapter_config.json')
    writeFileSync(config, readFileSync(config, 'utf8').replace(/"bert\.pooler\.dense",/, ''))
    await expect(pipeline('text-classification', folder)).rejects.toThrow(
      /neither the adapter .* nor its base has "bert\.pooler\.dense\.weight".*modules_to_save=\["bert\.pooler\.dense"\]/,
    )
  })

  it('is a resized table: it is saved, as in PEFT, and opened on a base of that size, which an error says', async () => {
    const base = await baseIn()
    base.resizeTokenEmbeddings(33)
    const model = getPeftModel(base, options)
    const { folder, modules } = await savedAs(model)
    expect(modules).toEqual(['classifier', 'score'])
    await expect(AutoModelForSequenceClassification.fromPretrained(folder)).rejects.toThrow(
      /has the shape \[33, 8\].* base\.resizeTokenEmbeddings\(33\).* PeftModel\.fromPretrained\(base, folder\)/,
    )
    const again = await AutoModelForSequenceClassification.fromPretrained(base.nameOrPath!)
    again.resizeTokenEmbeddings(33, { seed: 1 })
    expectTheSame(await PeftModel.fromPretrained(again, folder), model)
  })

  it('has a saved head by all names that it has in Python, where one parameter has two', async () => {
    // state_dict() of RobertaForMaskedLM's lm_head, transformers 5.24: PEFT opens no adapter that lacks one of them
    const names = [
      'bias',
      'decoder.bias',
      'decoder.weight',
      'dense.bias',
      'dense.weight',
      'layer_norm.bias',
      'layer_norm.weight',
    ]
    const sizes = { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16 }
    for (const model_type of ['roberta', 'mpnet']) {
      const base = AutoModelForMaskedLM.fromConfig({ model_type, vocab_size: 30, ...sizes })
      const folder = temporaryFolder()
      await getPeftModel(base, { r: 1, targetModules: 'all-linear', modulesToSave: ['lm_head'] }).savePretrained(folder)
      const { tensors } = await readSafetensors(join(folder, 'adapter_model.safetensors'))
      const saved = [...tensors.keys()].filter(name => name.includes('lm_head')).toSorted()
      expect(saved, model_type).toEqual(names.map(name => `base_model.model.lm_head.${name}`))
    }
  })
})
