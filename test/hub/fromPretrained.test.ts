/** Models and tokenizers by id: only the files that are needed, and an error for each thing that can be amiss. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  AutoConfig,
  AutoModel,
  AutoModelForSequenceClassification,
  AutoTokenizer,
  Dataset,
  type Tensor,
} from '../../src/index'
import { expectClose } from '../helpers/expectClose'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'
import { useHub } from '../helpers/useHub'
import { savedWeights } from './savedWeights'

const id = 'acme/tiny'
const fixtures = join(import.meta.dirname, '../fixtures')
const words = ['tokenizer_config.json', 'vocab.txt'].map(
  name => [name, readFileSync(join(fixtures, 'data/bert-tiny', name))] as const,
)
const config = JSON.stringify(tinyConfig)
const { fromPretrained } = AutoModelForSequenceClassification
const used = useHub()
const messages = logMessages('warning')
let whole: Record<string, Uint8Array>
let shards: Record<string, Uint8Array>

beforeEach(async () => {
  whole ??= await savedWeights('50GB')
  shards ??= await savedWeights('600')
})

/** Paths of the files that were asked for. */
const fetched = (): string[] =>
  used.hub.requests.flatMap(({ path }) => /\/resolve\/[0-9a-f]{40}\/(.*)/.exec(path)?.[1] ?? []).sort()

describe('a model', () => {
  it('takes its config and safetensors, and nothing of other frameworks', async () => {
    const others = ['pytorch_model.bin', 'tf_model.h5', 'flax_model.msgpack', 'onnx/model.onnx', 'README.md']
    used.hub.add('model', id, {
      'config.json': config,
      ...whole,
      ...Object.fromEntries(others.map(name => [name, name])),
    })
    const model = await fromPretrained(id)
    expect(fetched()).toEqual(['config.json', 'model.safetensors'])
    expect(model).toMatchObject({ nameOrPath: id, repository: id })
    const expected = tinyModel().parameters
    for (const [name, { data }] of model.parameters) expect(data).toEqual(expected.get(name)!.data)
    expect(messages).toEqual([])
  })

  it('takes the shards that the index names', async () => {
    expect(Object.keys(shards).length).toBeGreaterThan(3)
    used.hub.add('model', id, { 'config.json': config, ...shards, 'model-00009-of-00009.safetensors': 'stale' })
    await fromPretrained(id)
    expect(fetched()).toEqual(['config.json', ...Object.keys(shards)].sort())
  })

  it('is of the revision that is asked for, and of a subfolder', async () => {
    used.hub.add('model', id, { 'README.md': 'nothing' })
    const inside = Object.fromEntries(
      Object.entries({ 'config.json': config, ...whole }).map(([name, bytes]) => [`encoder/${name}`, bytes]),
    )
    used.hub.add('model', id, inside, { revision: 'v2' })
    const model = await fromPretrained(id, { revision: 'v2', subfolder: 'encoder' })
    expect(model).toMatchObject({ nameOrPath: id, repository: id })
    expect(await AutoConfig.fromPretrained(id, { revision: 'v2', subfolder: 'encoder' })).toEqual(tinyConfig)
    await expect(fromPretrained(id)).rejects.toThrow(`The repository ${id} has no config.json`)
    await expect(fromPretrained(id, { revision: 'v3' })).rejects.toThrow(`There is no revision "v3" of model "${id}"`)
  })

  it('says its id in warnings', async () => {
    used.hub.add('model', id, { 'config.json': config, ...whole })
    await AutoModelForSequenceClassification.fromPretrained(id, { numLabels: 5, ignoreMismatchedSizes: true })
    expect(messages[0]).toContain(`were not initialized from the model checkpoint at ${id} and are newly initialized`)
  })

  it('of a commit, and its tokenizer, needs no request when all is there', async () => {
    const commit = used.hub.add('model', id, { 'config.json': config, ...whole, ...Object.fromEntries(words) })
    const load = async (): Promise<void> => {
      await fromPretrained(id, { revision: commit })
      await AutoTokenizer.fromPretrained(id, { revision: commit })
    }
    await load()
    const before = used.hub.requests.length
    await load()
    expect(used.hub.requests.length).toBe(before)
  })

  it('in the cache is used offline', async () => {
    used.hub.add('model', id, { 'config.json': config, ...whole })
    await fromPretrained(id)
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    const before = used.hub.requests.length
    expect((await fromPretrained(id)).nameOrPath).toBe(id)
    await expect(AutoTokenizer.fromPretrained(id)).rejects.toThrow(`The repository ${id} has no tokenizer`)
    await expect(fromPretrained('acme/other')).rejects.toThrow(/is not in the cache .*Load it once with a connection/)
    expect(used.hub.requests.length).toBe(before)
  })

  it('is not fetched when its config or an option cannot be', async () => {
    used.hub.add('model', id, { 'config.json': '{"model_type": "t5"}', ...whole })
    await expect(fromPretrained(id)).rejects.toThrow('t5')
    expect(fetched()).toEqual(['config.json'])
    used.hub.add('model', 'acme/labels', { 'config.json': config, ...whole })
    await expect(fromPretrained('acme/labels', { numLabels: -1 })).rejects.toThrow('numLabels')
    expect(fetched()).toEqual(['config.json', 'config.json'])
  })
})

describe('a tokenizer', () => {
  it('takes its own files alone', async () => {
    const others = {
      'config.json': config,
      ...whole,
      'training_args.bin': 'no',
      'notes.txt': 'no',
      'sub/vocab.txt': 'no',
    }
    used.hub.add('model', id, { ...others, ...Object.fromEntries(words) })
    const tokenizer = await AutoTokenizer.fromPretrained(id)
    expect(fetched()).toEqual(['config.json', 'tokenizer_config.json', 'vocab.txt'])
    const local = await AutoTokenizer.fromPretrained(join(fixtures, 'data/bert-tiny'))
    expect(tokenizer('a text').input_ids).toEqual(local('a text').input_ids)
  })

  it('of a repository that has none says what there is', async () => {
    used.hub.add('model', id, { 'config.json': config, ...whole })
    await expect(AutoTokenizer.fromPretrained(id)).rejects.toThrow(
      `The repository ${id} has no tokenizer: it has config.json, model.safetensors. Give the id of the model`,
    )
  })
})

describe('safetensors and the weights of PyTorch', () => {
  const folder = join(fixtures, 'hub/bin-and-safetensors')
  const { input_ids: ids, want } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
    readonly input_ids: readonly number[][]
    readonly want: { readonly both: { readonly logits: { readonly data: readonly number[] } } }
  }

  async function logitsOf(source: string): Promise<Float32Array> {
    const model = await fromPretrained(source)
    const trainer = quietTrainer({ model, args: { outputDir: temporaryFolder(), threads: 1 } })
    const { predictions } = await trainer.predict(Dataset.fromRows(ids.map(row => ({ input_ids: row }))))
    await trainer.dispose()
    return (predictions as Tensor<'float32'>).data
  }

  it.each([
    ['both', ['config.json', 'model.safetensors']],
    ['bin-only', ['config.json', 'pytorch_model.bin']],
  ])('%s: the same logits, from the folder and by id', async (name, files) => {
    const names = readdirSync(join(folder, name))
    used.hub.add('model', id, Object.fromEntries(names.map(file => [file, readFileSync(join(folder, name, file))])))
    for (const source of [join(folder, name), id])
      expectClose(await logitsOf(source), Float32Array.from(want.both.logits.data), 1e-5, source)
    expect(fetched()).toEqual(files)
  })

  it('a file that the index names and the folder lacks is named', async () => {
    await expect(fromPretrained(join(folder, 'bin-and-stale-index'))).rejects.toThrow(
      'model-00001-of-00001.safetensors',
    )
  })
})

describe('an id of which nothing can be had', () => {
  it.each([
    [
      'acme/none',
      {},
      /There is no model "acme\/none" on the Hub.*If it is private, log in.*no folder "acme\/none" here/,
    ],
    ['acme/private', {}, /There is no model "acme\/private" on the Hub/],
    ['acme/private', { token: 'hf_loopback' }, /has no weights/],
    ['acme/gated', {}, /Access to model "acme\/gated" is gated.* and log in: npx ts-trainer login/],
    ['acme/config', { token: 'hf_wrong' }, /does not accept the token/],
    [
      'acme/config',
      {},
      /acme\/config has no weights: expected model\.safetensors.*found onnx\/model\.onnx, tf_model\.h5.*push_to_hub/,
    ],
    ['acme/adapter', {}, /adapter_config\.json has "peft_type": null, which is not supported/],
    ['acme/nested', {}, /acme\/nested is a sentence-transformers.*"acme\/nested" with { subfolder: "0_Transformer" }/],
    ['acme/config', { subfolder: 'deep' }, /The repository acme\/config, subfolder "deep", has no config\.json/],
    ['acme/stale', {}, /model-00001-of-00002\.safetensors/],
  ] as const)('%s %j', async (name, options, message) => {
    used.hub.add('model', 'acme/private', { 'config.json': config }, { private: true })
    used.hub.add('model', 'acme/gated', { 'config.json': config }, { gated: true })
    used.hub.add('model', 'acme/config', { 'config.json': config, 'tf_model.h5': 'h5', 'onnx/model.onnx': 'graph' })
    used.hub.add('model', 'acme/adapter', { 'adapter_config.json': '{}', 'adapter_model.safetensors': 'a' })
    used.hub.add('model', 'acme/nested', { 'modules.json': '[]', '0_Transformer/config.json': config })
    const index = JSON.stringify({ metadata: {}, weight_map: { a: 'model-00001-of-00002.safetensors' } })
    used.hub.add('model', 'acme/stale', { 'config.json': config, 'model.safetensors.index.json': index })
    const refused = fromPretrained(name, options)
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.not.toThrow(/hf_(wrong|loopback)/)
  })

  it.each(['./modle', '../modle', '/no/such/model', 'a/b/c', 'C:\\models\\bert', '~/modle', ''])(
    'a path is none, and nothing is asked: %j',
    async path => {
      await expect(fromPretrained(path)).rejects.toThrow(`There is no folder "${path}". Check the path.`)
      await expect(AutoTokenizer.fromPretrained(path)).rejects.toThrow('There is no folder')
      await expect(AutoConfig.fromPretrained(path)).rejects.toThrow('There is no folder')
      await expect(AutoModel.fromPretrained(path)).rejects.toThrow('There is no folder')
      expect(used.hub.requests).toHaveLength(0)
    },
  )
})

describe('a folder', () => {
  it('wins over an id', async () => {
    used.hub.add('model', 'test/fixtures', { 'config.json': config }) // there is such a folder in the repository
    await expect(AutoConfig.fromPretrained('test/fixtures')).rejects.toThrow(
      'There is no file test/fixtures/config.json',
    )
    expect(used.hub.requests).toHaveLength(0)
  })

  it('has no revisions, but may have folders', async () => {
    const work = temporaryFolder()
    mkdirSync(join(work, 'deep'))
    writeFileSync(join(work, 'deep/config.json'), config)
    expect(await AutoConfig.fromPretrained(work, { subfolder: 'deep', revision: 'main' })).toEqual(tinyConfig)
    await expect(AutoConfig.fromPretrained(work, { revision: 'v2' })).rejects.toThrow('has no revision "v2"')
    await expect(AutoConfig.fromPretrained(work, { subfolder: 'none' })).rejects.toThrow('There is no folder')
    await expect(AutoConfig.fromPretrained(work, { subfolder: '../x' })).rejects.toThrow("subfolder is '../x'")
  })

  it('with a pointer of Git LFS in place of weights says so', async () => {
    await expect(fromPretrained(join(fixtures, 'hub/lfs-pointer/model'))).rejects.toThrow(
      /model\.safetensors is a pointer of Git LFS.*7220 bytes.*git lfs pull, or load the repository by its id/,
    )
  })
})

it.each([
  [{ revision: 5 }, 'revision is 5; a text was expected'],
  [{ cacheDir: '' }, "cacheDir is ''; a text was expected"],
  [{ token: 5 }, 'token is a number; a text, true or false was expected'],
  [{ localFilesOnly: 'yes' }, "localFilesOnly is 'yes'; true or false was expected"],
  [{ subfolder: 5 }, 'subfolder is 5; a folder inside it was expected'],
  [{ local_files_only: true }, 'Did you mean localFilesOnly?'],
])('an option of another type is refused: %j', async (options, message) => {
  for (const load of [fromPretrained, AutoConfig.fromPretrained, AutoTokenizer.fromPretrained])
    await expect((load as (id: string, options: object) => Promise<unknown>)(id, options)).rejects.toThrow(message)
  expect(used.hub.requests).toHaveLength(0)
})
