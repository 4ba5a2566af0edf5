// folders that people give for a model's: what is wrong with each stands in the message, with its file
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { saveWeights } from '../../src/files/weights'
import { AutoConfig, AutoModelForSequenceClassification } from '../../src/index'
import { Tensor } from '../../src/tensor'
import { logMessages } from '../helpers/logMessages'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

/** A folder of files: texts as they are, objects as JSON; a name that ends with a slash is a folder. */
function folderOf(files: Readonly<Record<string, string | object>>): string {
  const folder = temporaryFolder()
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) mkdirSync(join(folder, name))
    else writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}
const load = AutoModelForSequenceClassification.fromPretrained
const messages = logMessages()

describe('a folder that is something else', () => {
  it.each([
    [
      { 'adapter_config.json': {}, 'adapter_model.safetensors': '' },
      /adapter_config\.json has "peft_type": null, which is not supported/,
    ],
    [
      { 'adapter_config.json': { peft_type: 'IA3' }, 'config.json': tinyConfig, 'model.safetensors': '' },
      /adapter_config\.json has "peft_type": "IA3", which is not supported\. Low-rank adapters are/,
    ],
    [{ 'dataset_info.json': {}, 'state.json': {}, 'data-00000-of-00001.arrow': '' }, /dataset that save_to_disk/],
    [{ 'dataset_dict.json': {}, 'train/': '' }, /a dataset that save_to_disk of Python's datasets wrote/],
    [{ 'modules.json': [], '0_Transformer/': '' }, /sentence-transformers.*Give .*\/0_Transformer\./],
    [{ 'checkpoint-5/': '', 'checkpoint-10/': '', runs: '' }, /with checkpoints in it\. Give one .*\/checkpoint-10\./],
    [{ 'tokenizer.json': {} }, /is the folder of a tokenizer without a model/],
    [
      { 'tokenizer.json': {}, 'model.safetensors': '' },
      /is the folder of a model whose config\.json is missing\. Put .*config\.json beside its weights/,
    ],
    [{ 'tokenizer.json': {}, 'config.json': tinyConfig }, /has no weights: expected model\.safetensors/],
    [{ 'notes.txt': '' }, /There is no file .*config\.json/],
    [{ 'config.json': tinyConfig, 'best.pt': '' }, /has no weights.*found best\.pt.*rename it to pytorch_model\.bin/],
  ])('%j is named', async (files, message) => {
    await expect(load(folderOf(files))).rejects.toThrow(message)
  })

  it('or a file', async () => {
    const file = join(folderOf({ 'config.json': tinyConfig }), 'config.json')
    await expect(load(file)).rejects.toThrow(`${file} is a file, not a folder. Give the folder that it lies in.`)
  })
})

describe('an error about a config', () => {
  it.each([
    [{ hidden_size: '8' }, 'needs "hidden_size" as a whole number of at least 1, but it is "8".'],
    [{ num_hidden_layers: 1e9 }, 'has "num_hidden_layers" 1000000000, more than the 1000 allowed.'],
    [{ is_decoder: true }, 'has "is_decoder" true: attention to earlier tokens alone is not there.'],
    [{ num_labels: 0 }, 'needs "num_labels" as a whole number of at least 1, but it is 0.'],
    [{ id2label: { a: 'x' } }, 'needs "id2label" as an object whose keys are integers, but it is {"a":"x"}.'],
    [{ id2label: ['a', 'b'] }, 'needs "id2label" as an object from ids to names, or null, but it is ["a","b"].'],
    [{ problem_type: 'regresion' }, 'has the problem type "regresion", which is not known'],
  ])('%j names the file', async (fields, message) => {
    const folder = folderOf({ 'config.json': { ...tinyConfig, ...fields } })
    await expect(load(folder)).rejects.toThrow(`${folder}/config.json ${message}`)
    await expect(AutoConfig.fromPretrained(folder)).rejects.toThrow(`${folder}/config.json ${message}`)
  })

  it('of a family that is not known names it too', async () => {
    const folder = folderOf({ 'config.json': { model_type: 'brt' } })
    await expect(load(folder)).rejects.toThrow(`The model_type "brt" of ${folder}/config.json is not supported`)
    await expect(AutoConfig.fromPretrained(folder)).resolves.toEqual({ model_type: 'brt' })
  })

  it('of no family, as one with names in camelCase, says what is missing', () => {
    expect(() => AutoModelForSequenceClassification.fromConfig({ modelType: 'bert' } as never)).toThrow(
      /^The config has no "model_type"; these are known: bert, .*Python's names: \{ model_type: 'bert'/,
    )
  })

  it('that is only doubted is a warning', async () => {
    const folder = temporaryFolder()
    await tinyModel({ my_field: { deep: 1 } }).savePretrained(folder)
    const config = await AutoConfig.fromPretrained(folder)
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ ...config, hidden_droput_prob: 0.5, torch_dtype: 'float16' }),
    )
    const model = await load(folder)
    expect(messages).toEqual([
      `${folder}/config.json has the field "hidden_droput_prob", which counts for nothing. Was "hidden_dropout_prob" meant?`,
    ])
    expect(model.config).toMatchObject({ my_field: { deep: 1 }, hidden_droput_prob: 0.5, dtype: 'float32' })
    expect(model.config).not.toHaveProperty('torch_dtype')
  })
})

describe("a folder's weights", () => {
  it('under the names of a wrapper are those of the model, which is told once', async () => {
    const model = tinyModel({}, { seed: 7 })
    const folder = folderOf({ 'config.json': model.config })
    await saveWeights(
      folder,
      new Map([...model.parameters].map(([name, tensor]) => [`module._orig_mod.${name}`, tensor])),
    )
    expect((await load(folder)).parameters).toEqual(model.parameters)
    expect(messages).toEqual([
      expect.stringMatching(/^\d+ weights of .* are loaded without it: 'module\._orig_mod\.bert\..*' as 'bert\./),
    ])
  })

  it('of more layers than the config counts are a warning', async () => {
    const model = tinyModel({ num_hidden_layers: 3 })
    const folder = temporaryFolder()
    await model.savePretrained(folder)
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...model.config, num_hidden_layers: 2 }))
    await load(folder)
    expect(messages).toEqual([
      `${folder} has 16 weights of layers that its config does not count ` +
        "('bert.encoder.layer.2.attention.output.LayerNorm.bias', …): they are not used, as in Python. " +
        'Is the number of layers in config.json right?',
      expect.stringMatching(
        / were not used when initializing BertForSequenceClassification: \['bert\.encoder\.layer\.2\./,
      ),
    ])
  })

  it('of integers are refused by name', async () => {
    const model = tinyModel()
    const folder = folderOf({ 'config.json': model.config })
    const codes = Tensor.from('int8', [...model.parameter('classifier.weight').data].map(Math.round))
    const weights = new Map<string, Tensor>(model.parameters)
    await saveWeights(folder, weights.set('classifier.weight', new Tensor('int8', codes.data, [2, 8])) as never)
    await expect(load(folder)).rejects.toThrow("Tensor 'classifier.weight' of")
  })

  it('are compared with the config before anything is made', async () => {
    const model = tinyModel()
    const folder = temporaryFolder()
    await model.savePretrained(folder)
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ ...model.config, vocab_size: 60_000_000, hidden_size: 10_000 }),
    )
    const start = performance.now()
    await expect(load(folder)).rejects.toThrow("'bert.embeddings.word_embeddings.weight' has shape [30, 8]")
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
