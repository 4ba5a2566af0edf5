// where an adapter and its base are found: beside each other, by id, and where they are not
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoConfig, AutoModelForSequenceClassification, getPeftModel, PeftModel } from '../../src/index'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'
import { useHub } from '../helpers/useHub'

const { fromPretrained } = AutoModelForSequenceClassification
const used = useHub()
const messages = logMessages('warning')
const query = 'bert.encoder.layer.0.attention.self.query.lora_A.weight'

/** A base and an adapter beside each other, whose config has these fields. */
async function saved(fields: object): Promise<{ base: string; adapter: string }> {
  const root = temporaryFolder()
  const [base, adapter] = [join(root, 'base'), join(root, 'adapter')]
  mkdirSync(base)
  mkdirSync(adapter)
  await tinyModel({}, { numLabels: 3 }).savePretrained(base)
  await getPeftModel(tinyModel({}, { numLabels: 3 }), { r: 2 }).savePretrained(adapter)
  const file = join(adapter, 'adapter_config.json')
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...fields }))
  return { base, adapter }
}

const filesOf = (folder: string, names: readonly string[]): Record<string, Uint8Array> =>
  Object.fromEntries(names.map(name => [name, readFileSync(join(folder, name))]))

describe('a folder', () => {
  it('names its base as seen from itself', async () => {
    const { adapter } = await saved({ base_model_name_or_path: '../base' })
    const model = await fromPretrained(adapter)
    expect(model).toBeInstanceOf(PeftModel)
    expect(model).toMatchObject({ nameOrPath: adapter, numLabels: 3 })
    expect(messages).toEqual([])
  })

  it.each([
    [null, /does not say which model the adapter is for.*PeftModel\.fromPretrained\(model, folder\)/],
    ['/no/such/base', /is an adapter for "\/no\/such\/base", which is not here.*PeftModel\.fromPretrained/],
  ])('whose base is %j is refused, with the call that takes the base', async (name, message) => {
    const { base, adapter } = await saved({ base_model_name_or_path: name })
    await expect(fromPretrained(adapter)).rejects.toThrow(message)
    const model = await PeftModel.fromPretrained(await fromPretrained(base), adapter)
    expect(model.parameter(query).dims).toEqual([2, 8])
  })

  it('names a base that lay in a subfolder', async () => {
    const { base, adapter } = await saved({})
    const model = await fromPretrained(join(base, '..'), { subfolder: 'base' })
    await getPeftModel(model, { r: 2 }).savePretrained(adapter)
    expect((await fromPretrained(adapter)).numLabels).toBe(3)
  })

  it('has no config of a model', async () => {
    const { adapter } = await saved({})
    await expect(AutoConfig.fromPretrained(adapter)).rejects.toThrow(
      /is a PEFT adapter.*AutoModelForSequenceClassification/,
    )
  })

  it.each<[string, object, RegExp]>([
    [
      'of fewer layers',
      { target_modules: ['query'] },
      /has the tensor '.*value\.lora_A\.weight', which belongs to nothing/,
    ],
    [
      'of more layers',
      { target_modules: ['query', 'key', 'value'] },
      /lacks 2 tensors of its adapter, such as '.*key\.lora_A/,
    ],
    ['of another rank', { r: 3 }, /has the shape \[2, 8\], but .* needs \[3, 8\]/],
  ])('whose config is that %s is refused', async (_, fields, message) => {
    const { adapter } = await saved({ base_model_name_or_path: '../base', ...fields })
    await expect(fromPretrained(adapter)).rejects.toThrow(message)
  })
})

describe('an id', () => {
  it('brings its base by id, at the revision that the adapter was trained on', async () => {
    const { base, adapter } = await saved({ base_model_name_or_path: 'acme/base', revision: 'v1' })
    used.hub.add('model', 'acme/base', { 'README.md': 'moved on' })
    used.hub.add('model', 'acme/base', filesOf(base, ['config.json', 'model.safetensors']), { revision: 'v1' })
    used.hub.add('model', 'acme/adapter', filesOf(adapter, ['adapter_config.json', 'adapter_model.safetensors']))
    const model = await fromPretrained('acme/adapter')
    expect(model).toMatchObject({ nameOrPath: 'acme/adapter', repository: 'acme/adapter' })
    expect((model as PeftModel).base.repository).toBe('acme/base')
    const fetched = used.hub.requests.flatMap(({ path }) => /resolve\/[0-9a-f]{40}\/(.*)/.exec(path)?.[1] ?? [])
    expect(fetched).toEqual(['adapter_config.json', 'adapter_model.safetensors', 'config.json', 'model.safetensors'])
    const folder = temporaryFolder()
    await model.savePretrained(folder)
    const written = (place: string): unknown => JSON.parse(readFileSync(join(place, 'adapter_config.json'), 'utf8'))
    expect(written(folder)).toMatchObject({ base_model_name_or_path: 'acme/base', revision: 'v1' })
    const another = temporaryFolder()
    await getPeftModel(await fromPretrained('acme/base', { revision: 'v1' })).savePretrained(another)
    expect(written(another)).toMatchObject({ base_model_name_or_path: 'acme/base', revision: 'v1' })
    expect((await fromPretrained('acme/adapter', { localFilesOnly: true })).numLabels).toBe(3)
    const trainer = quietTrainer({ model, args: { outputDir: folder } })
    await trainer.createModelCard()
    const card = readFileSync(join(folder, 'README.md'), 'utf8')
    expect(card).toMatch(/^---\nlibrary_name: peft\nbase_model: acme\/base\ntags:\n/)
    const tags = /^tags:\n((?:- .*\n)+)/m.exec(card)![1]!.trim().split('\n')
    expect(tags).toEqual([
      '- generated_from_trainer',
      '- ts-trainer',
      '- base_model:adapter:acme/base',
      '- lora',
      '- transformers',
    ])
    await trainer.dispose()
  })

  it('names no folder of this machine', async () => {
    const { base, adapter } = await saved({})
    const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8')) as object
    used.hub.add('model', 'acme/adapter', {
      ...filesOf(adapter, ['adapter_model.safetensors']),
      'adapter_config.json': JSON.stringify({ ...config, base_model_name_or_path: base }),
    })
    await expect(fromPretrained('acme/adapter')).rejects.toThrow(/is an adapter for ".*base", which is not here/)
  })
})
