// which layers and parts of a model an adapter means by PEFT's rules, and what those rules do not allow
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  getPeftModel,
  type LoraConfig,
  PeftModel,
  type PreTrainedModel,
} from '../../src/index'
import { logMessages } from '../helpers/logMessages'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

const messages = logMessages('warning')
const layers = { num_hidden_layers: 3 }
const bare = (): PreTrainedModel<unknown> => AutoModel.fromConfig({ ...tinyConfig, ...layers })
const forWords = (): PreTrainedModel<unknown> => AutoModelForMaskedLM.fromConfig(tinyConfig)

/** The layers that have an adapter, without what all names have: `0.query`. */
function layersOf(model: PeftModel<unknown>): readonly string[] {
  const names = [...model.parameters.keys()].filter(name => name.endsWith('.lora_A.weight'))
  return names.map(name => name.replace(/^bert\.encoder\.layer\.|attention\.self\.|\.lora_A\.weight$/g, ''))
}

describe('names of a model without a head', () => {
  it.each<[string, LoraConfig, readonly string[]]>([
    ['a pattern', { targetModules: String.raw`encoder\.layer\.[01]\..*query` }, ['0.query', '1.query']],
    ['a whole name', { targetModules: ['encoder.layer.2.attention.self.key'] }, ['2.key']],
    [
      'what is left out',
      { targetModules: ['query'], excludeModules: String.raw`encoder\.layer\.0\..*` },
      ['1.query', '2.query'],
    ],
  ])('are those of Python: %s', (_, options, expected) => {
    expect(layersOf(getPeftModel(bare(), options))).toEqual(expected)
  })

  it('are those of Python: a pattern of ranks', () => {
    const rankPattern = { '^encoder.layer.1.attention.self.query': 3 }
    const model = getPeftModel(bare(), { targetModules: ['query'], r: 2, rankPattern })
    const ranks = [0, 1, 2].map(layer =>
      model.parameter(`bert.encoder.layer.${layer}.attention.self.query.lora_A.weight`),
    )
    expect(ranks.map(({ dims }) => dims[0])).toEqual([2, 3, 2])
  })
})

describe('numbers of layers', () => {
  const query = ['query']
  it.each<[string, LoraConfig, readonly string[]]>([
    ['one', { targetModules: query, layersToTransform: 2 }, ['2.query']],
    ['behind a name', { targetModules: query, layersToTransform: [0], layersPattern: 'layer' }, ['0.query']],
    [
      'behind more of it',
      { targetModules: query, layersToTransform: [1], layersPattern: 'encoder.layer' },
      ['1.query'],
    ],
    ['behind a pattern', { targetModules: query, layersToTransform: [1], layersPattern: ['h', 'l.*r'] }, ['1.query']],
    [
      'beside a whole name',
      { targetModules: ['bert.encoder.layer.0.attention.self.query', 'value'], layersToTransform: [1] },
      ['0.query', '1.value'],
    ],
    ['none', { targetModules: query, layersToTransform: [] }, ['0.query', '1.query', '2.query']],
  ])('%s', (_, options, expected) => {
    expect(layersOf(getPeftModel(tinyModel(layers), options))).toEqual(expected)
  })
})

describe('options that cannot be', () => {
  it.each<[string, object, RegExp]>([
    [
      'numbers beside a pattern',
      { targetModules: '.*query', layersToTransform: [0] },
      /getPeftModel\(\): layersToTransform is given, but targetModules is no list of names\. Give a list, or write/,
    ],
    ['numbers beside all layers', { targetModules: 'all-linear', layersToTransform: 0 }, /is no list of names/],
    [
      'a list of layers without numbers',
      { layersPattern: 'layer' },
      /layersPattern is given without layersToTransform/,
    ],
    ['a number that is none', { layersToTransform: ['0'] }, /layersToTransform is a list; a whole number from 0/],
    [
      'a number that no layer has',
      { targetModules: ['query'], layersToTransform: [9] },
      /targetModules is \["query"\], layersToTransform \[9\], but no linear layer .* is meant by these/,
    ],
    ['a text for a list', { modulesToSave: 'classifier' }, /modulesToSave is 'classifier'; a list of names/],
    ['a list for a table', { rankPattern: ['query'] }, /rankPattern is a list; an object such as/],
    ['a rank of a half', { rankPattern: { query: 0.5 } }, /rankPattern, "query", is 0\.5; a whole number above 0/],
    [
      'a name that is nothing',
      { targetModules: ['query', 'valeu'] },
      /names "valeu", which is nothing .* mean "value"\?/,
    ],
    [
      'a name to leave out',
      { excludeModules: ['qery'] },
      /excludeModules names "qery", which is nothing .* mean "query"\?/,
    ],
    [
      'a table of words',
      { targetModules: ['query', 'word_embeddings'] },
      /names "word_embeddings", which is no linear layer of .* linear layers are "query", "key"/,
    ],
    [
      'a layer that is trained whole',
      { targetModules: ['query', 'classifier'] },
      /names "classifier", which is trained and saved whole \(modulesToSave\)\. Leave it out\./,
    ],
    ['the head alone', { targetModules: ['classifier'] }, /"classifier", which is trained and saved whole/],
    ['ranks of no layer', { rankPattern: { qury: 4 } }, /rankPattern has "qury", which means no layer with an adapter/],
    ['α of no layer', { alphaPattern: { key: 4 } }, /alphaPattern has "key", which means no layer .* "bert\.encoder/],
    [
      'a name for a list of names',
      { targetModules: 'query' },
      /"query", but no linear layer .* pattern for the whole name, such as "bert\.encoder.*a list: \['query'\]\.$/,
    ],
    ['a part of a pattern', { targetModules: /query|value/ }, /a pattern for the whole name.*last parts of the names/],
    [
      'nothing but what is left out',
      { targetModules: ['query'], excludeModules: ['query'] },
      /meant by these\. By targetModules alone it would be "bert\.encoder.*": change excludeModules\.$/,
    ],
    ['a seed that is none', { seed: 'a' }, /getPeftModel\(\): seed is 'a'; a whole number was expected/],
    ["another program's name", { rank: 8 }, /has no option "rank"\. Here it is r\. Its options are r, .*, seed\./],
    ['the same for α', { alpha: 8 }, /has no option "alpha"\. Here it is loraAlpha\./],
    ['no options at all', null as never, /getPeftModel\(\) takes its options as an object, not null/],
    ['null', { targetModules: null }, /targetModules is null; a list of names or a regular expression/],
  ])('%s', (_, options, message) => {
    expect(() => getPeftModel(tinyModel(), options as LoraConfig)).toThrow(message)
  })

  it('and models that cannot be', async () => {
    const adapted = getPeftModel(tinyModel())
    expect(() => getPeftModel({ r: 8 } as never)).toThrow(
      /takes a transformer first, not \{ r \}\. Load it: await AutoModel/,
    )
    expect(() => getPeftModel('./reviews' as never)).toThrow(/takes a transformer first, not '\.\/reviews'/)
    await expect(PeftModel.fromPretrained('./reviews' as never, 'there')).rejects.toThrow(/takes a transformer first/)
    await expect(PeftModel.fromPretrained(adapted, 'there')).rejects.toThrow(
      /PeftModel\.fromPretrained\(\): the model has an adapter already\. Merge it first, .*model\.base/,
    )
  })

  it('are warned of in files, as in PEFT', async () => {
    const folder = temporaryFolder()
    await getPeftModel(tinyModel(), { r: 2, targetModules: ['query'] }).savePretrained(folder)
    const file = join(folder, 'adapter_config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    const fields = { target_modules: ['query', 'valeu'], rank_pattern: { qury: 4 }, exclude_modules: ['qery'] }
    writeFileSync(file, JSON.stringify({ ...config, ...fields }))
    messages.length = 0
    const opened = await PeftModel.fromPretrained(tinyModel(), folder)
    expect(layersOf(opened)).toEqual(['0.query'])
    for (const name of ['target_modules names "valeu"', 'rank_pattern has "qury"', 'exclude_modules names "qery"'])
      expect(messages.join('\n')).toContain(name)
  })
})

describe('a table of words that the head shares', () => {
  const table = 'bert.embeddings.word_embeddings.weight'
  const decoder = 'cls.predictions.decoder.weight'
  it.each<[string, readonly string[], string, string]>([
    ['saved', ['word_embeddings'], table, decoder],
    ["the head's saved", ['decoder'], decoder, table],
    ['the whole head saved', ['cls'], decoder, table],
  ])('%s: from then on there are two, and one stays as it was', async (_, modulesToSave, trained, kept) => {
    const base = forWords()
    const [folder, merged] = [temporaryFolder(), temporaryFolder()]
    const model = getPeftModel(base, { r: 2, targetModules: ['query'], modulesToSave })
    const isTrained = (name: string): unknown => model.definition.parameters.find(one => one.name === name)?.trainable
    expect([isTrained(trained), isTrained(kept)]).toEqual([true, false])
    model.parameter(trained).data.fill(0.5)
    expect(model.parameter(kept).data).toEqual(base.parameter(table).data)
    await model.savePretrained(folder)
    const again = await PeftModel.fromPretrained(forWords(), folder)
    for (const [name, { data }] of model.parameters) expect(again.parameter(name).data, name).toEqual(data)
    await again.mergeAndUnload().savePretrained(merged)
    const config = JSON.parse(readFileSync(join(merged, 'config.json'), 'utf8')) as object
    expect(config).toMatchObject({ tie_word_embeddings: false })
    const plain = await AutoModelForMaskedLM.fromPretrained(merged)
    expect(plain.parameter(trained).data).toEqual(model.parameter(trained).data)
    expect(plain.parameter(kept).data).toEqual(base.parameter(table).data)
  })
})

describe('how A and B started', () => {
  const opened = async (fields: object): Promise<PeftModel> => {
    const folder = temporaryFolder()
    await getPeftModel(tinyModel(), { r: 2 }).savePretrained(folder)
    const file = join(folder, 'adapter_config.json')
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...fields }))
    return PeftModel.fromPretrained(tinyModel(), folder)
  }

  it.each([
    ['gaussian', 'gaussian'],
    ['eva', true],
    ['orthogonal', true],
    [false, false],
  ])('%j is known, and changes nothing', async (written, expected) => {
    const fields = { init_lora_weights: written, eva_config: written === 'eva' ? { rho: 2 } : null }
    expect((await opened(fields)).peftConfig.initLoraWeights).toBe(expected)
  })

  it.each(['pissa', 'pissa_niter_4', 'olora', 'corda', 'loftq', 'lora_ga'])('%s has changed the base', async start => {
    await expect(opened({ init_lora_weights: start })).rejects.toThrow(
      /whose weights were changed.*Convert it in Python/,
    )
  })

  it.each([{ init_lora_weights: 'mica' }, { init_lora_weights: 'future' }, { ensure_weight_tying: true }])(
    '%j is not supported',
    async fields => {
      const [name] = Object.keys(fields)
      await expect(opened(fields)).rejects.toThrow(new RegExp(`"${name}".*not supported.*merge_and_unload`))
    },
  )
})

it('an adapter of a classifier is opened by no other class, which is told how', async () => {
  const [base, folder] = [temporaryFolder(), temporaryFolder()]
  await tinyModel().savePretrained(base)
  const model = await AutoModelForSequenceClassification.fromPretrained(base)
  await getPeftModel(model, { r: 2 }).savePretrained(folder)
  await expect(AutoModel.fromPretrained(folder)).rejects.toThrow(
    /task_type is 'SEQ_CLS'.*Open it by AutoModelForSequenceClassification, or use pipeline\('text-cl.*mergeAndUnload/,
  )
})
