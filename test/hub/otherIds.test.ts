/** What people give in place of an id of a model: each is told apart, with what to give. */
import { beforeEach, describe, expect, it } from 'vitest'
import { AutoConfig, AutoModel, AutoTokenizer, loadDataset } from '../../src/index'
import { tinyConfig } from '../helpers/tinyModel'
import { useHub } from '../helpers/useHub'
import { savedWeights } from './savedWeights'

const id = 'acme/tiny'
const config = JSON.stringify(tinyConfig)
const used = useHub()
let whole: Record<string, Uint8Array>

beforeEach(async () => {
  whole ??= await savedWeights('50GB')
})

describe('what is no id of a model', () => {
  it('that of a dataset is said to be one, by one question, and the other way round', async () => {
    used.hub.add('dataset', 'acme/rows', { 'train.csv': 'text\na\n' })
    await expect(AutoConfig.fromPretrained('acme/rows')).rejects.toThrow(
      /^There is no model "acme\/rows" on the Hub; there is a dataset of that id\. Load it by loadDataset\('acme\/rows'\)/,
    )
    expect(used.hub.requests.filter(({ path }) => path.startsWith('/api/datasets/'))).toHaveLength(1)
    used.hub.add('model', id, { 'config.json': config })
    await expect(loadDataset(id)).rejects.toThrow(
      /There is no dataset "acme\/tiny" on the Hub; there is a model of that id\. Load it by AutoModel\.fromPretrained/,
    )
  })

  it('one without an organization is told of whole ids, whatever the 404 says', async () => {
    await expect(AutoTokenizer.fromPretrained('bert-base-uncased')).rejects.toThrow(
      /Most models have ids such as google-bert\/bert-base-uncased: ORGANIZATION\/NAME/,
    )
    used.hub.fault({ status: 404, times: 9 })
    await expect(loadDataset('glue', 'mrpc')).rejects.toMatchObject({
      code: 'hub',
      message: expect.stringMatching(/Most datasets have ids such as nyu-mll\/glue: ORGANIZATION\/NAME/) as string,
    })
  })

  it.each<[unknown, RegExp]>([
    [undefined, /^A folder, or an id of the Hub, was expected; undefined was given\.$/],
    [5, /^A folder, or an id of the Hub, was expected; 5 was given\.$/],
    ['https://huggingface.co/acme/tiny/tree/main', /Give its id: 'acme\/tiny'\.$/],
    ['hf://acme/tiny@main', /Give its id: 'acme\/tiny'\.$/],
    ['acme/tiny/encoder', /\(An id of the Hub has one slash: ORGANIZATION\/NAME\.\)$/],
  ])('%j', async (given, message) => {
    for (const auto of [AutoConfig, AutoModel, AutoTokenizer])
      await expect(auto.fromPretrained(given as string)).rejects.toThrow(message)
  })

  it('nor of a dataset', async () => {
    await expect(loadDataset('https://huggingface.co/datasets/acme/rows')).rejects.toThrow(
      /Give its id: 'acme\/rows'\.$/,
    )
    await expect(loadDataset(undefined as unknown as string)).rejects.toThrow(
      'loadDataset() takes a path, an id or rows, not undefined.',
    )
  })
})
