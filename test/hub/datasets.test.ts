/** Datasets by id: what is asked for, and in what order; what a card, a script and a folder of the same name change. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { getDatasetConfigNames, getDatasetSplitNames, loadDataset } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'

const id = 'acme/reviews'
const used = useHub()
const parquet = readFileSync(join(import.meta.dirname, '../fixtures/data/labelled.parquet'))
const card = (yaml: string): string => `---\n${yaml}\n---\nReviews.\n`

/** What was asked for since the last time: files, by their paths, and the revisions that were looked up. */
let seen = 0
function asked(): string[] {
  const requests = used.hub.requests.slice(seen)
  seen = used.hub.requests.length
  return requests.flatMap(({ path }) => {
    const plain = decodeURIComponent(path.replace(/\?.*/, ''))
    return /\/resolve\/[0-9a-f]{40}\/(.*)|\/revision\/(.*)/.exec(plain)?.slice(1).filter(Boolean) ?? []
  })
}
function add(files: Record<string, string | Uint8Array>, revision?: string, name = id): string {
  seen = 0
  return used.hub.add('dataset', name, files, revision === undefined ? {} : { revision })
}

const bySplit = { 'train.csv': 'text\na\nb\n', 'test.csv': 'text\nc\n', 'extra/dev.csv': 'text\nd\n' }

describe('a dataset of the Hub', () => {
  it('is split by names, and only the files of the wanted split are fetched', async () => {
    add({ ...bySplit, 'notes.md': 'notes' })
    const train = await loadDataset(id, { split: 'train[:1]' })
    expect(train.toArray()).toEqual([{ text: 'a' }])
    expect(train.info).toEqual({ repository: id, configuration: 'default', split: 'train[:1]' })
    expect(asked()).toEqual(['main', 'train.csv'])
    const dataset = await loadDataset(id)
    expect(dataset.numRows).toEqual({ train: 2, validation: 1, test: 1 })
    expect(asked().sort()).toEqual(['extra/dev.csv', 'main', 'test.csv'])
    const mapped = await dataset.validation.map(({ text }) => ({ length: (text as string).length }))
    expect(mapped.info).toEqual({ repository: id, configuration: 'default', split: 'validation' })
  })

  it('has the configurations, files and columns of its card, which is fetched first', async () => {
    const yaml = `dataset_info:
- config_name: short
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': bad
          '1': good
configs:
- config_name: long
  data_files:
  - split: train
    path: long/**
- config_name: short
  default: true
  data_files:
  - split: test
    path: s/part-?.csv
  - split: train
    path: [s/b.csv, s/a.csv]`
    const rows = (text: string): string => `text,label\n${text},good\n`
    const parts = { 's/a.csv': rows('a'), 's/b.csv': rows('b'), 's/part-1.csv': rows('c'), 's/part-10.csv': rows('d') }
    add({ 'README.md': card(yaml), ...parts, 'long/x/y.csv': rows('e') })
    const dataset = await loadDataset(id)
    expect(Object.entries(dataset.splits).map(([name, split]) => [name, split.toArray()])).toEqual([
      ['test', [{ text: 'c', label: 1 }]],
      [
        'train',
        [
          { text: 'b', label: 1 },
          { text: 'a', label: 1 },
        ],
      ],
    ])
    expect(dataset.train.features['label']?.names).toEqual(['bad', 'good'])
    expect(dataset.train.info.configuration).toBe('short')
    const files = asked()
    expect(files.slice(0, 2)).toEqual(['main', 'README.md'])
    expect(files.slice(2).sort()).toEqual(['s/a.csv', 's/b.csv', 's/part-1.csv'])
    const long = await loadDataset(id, 'long')
    expect(long.train.toArray()).toEqual([{ text: 'e', label: 'good' }])
    expect(asked()).toEqual(['main', 'long/x/y.csv'])
    await expect(loadDataset(id, 'shrot')).rejects.toThrow(
      /acme\/reviews has no configuration 'shrot'; it has long, short\. Did you mean 'short'\?/,
    )
    expect(await getDatasetConfigNames(id)).toEqual(['long', 'short'])
    expect(await getDatasetSplitNames(id)).toEqual(['test', 'train'])
    expect(await getDatasetSplitNames(id, 'long')).toEqual(['train'])
  })

  it('has files named outright, of which nothing leads out of it', async () => {
    add({ ...bySplit, 'README.md': card('configs:\n- config_name: a\n  data_files: nothing.csv') })
    const dataFiles = { a: 'extra/*.csv', b: ['train.csv', 'test.csv'] }
    expect((await loadDataset(id, { dataFiles })).numRows).toEqual({ a: 1, b: 3 })
    await expect(loadDataset(id, { dataFiles: 'tran.csv' })).rejects.toThrow(
      /has no file tran\.csv\. Did you mean train\.csv\?/,
    )
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'a.csv'), 'text\nx\n')
    for (const outside of [join(folder, 'a.csv'), join(folder, '*.csv'), '../*.csv', '../a.csv'])
      await expect(loadDataset(id, { dataFiles: outside })).rejects.toThrow(/has no (file|data files that match) /)
  })

  it('has revisions, whose names may have slashes', async () => {
    add(bySplit)
    const first = add({ 'train.csv': 'text\nold\n' }, 'refs/pr/1')
    add({ 'train.csv': 'text\nnew\n' }, 'refs/pr/1')
    const load = async (revision: string): Promise<unknown> =>
      (await loadDataset(id, { split: 'train', revision })).column('text')
    expect(await load('refs/pr/1')).toEqual(['new'])
    expect(await load(first)).toEqual(['old'])
    await expect(load('v9')).rejects.toThrow(/no revision "v9"/)
  })

  it('keeps the old name where it has another by now, on another host too, which gets no token', async () => {
    add(bySplit, undefined, 'glue')
    used.hub.rename('dataset', 'glue', 'acme/glue', { host: 'other' })
    vi.stubEnv('HF_TOKEN', 'hf_loopback')
    const train = await loadDataset('glue', { split: 'train' })
    expect(train.info.repository).toBe('glue')
    expect(train.length).toBe(2)
    const { host } = new URL(used.hub.url)
    const elsewhere = used.hub.requests.filter(request => request.host !== host)
    expect(elsewhere.length).toBeGreaterThan(0)
    expect(elsewhere.filter(({ authorization }) => authorization !== undefined)).toEqual([])
  })

  it('is read again without a connection, its card and its wanted split', async () => {
    const yaml = 'configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: t*.csv'
    add({ 'README.md': card(`${yaml}\n  - split: test\n    path: held*.csv`), 't.csv': 'n\n1\n', 'held.csv': 'n\n2\n' })
    await loadDataset(id, { split: 'train' })
    asked()
    await loadDataset(id, { split: 'train' })
    expect(asked()).toEqual(['main'])
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    expect((await loadDataset(id, { split: 'train' })).column('n')).toEqual([1])
    await expect(loadDataset(id, { split: 'test' })).rejects.toThrow(/held/)
    await expect(loadDataset(id)).rejects.toThrow(/held/)
    await expect(loadDataset('acme/other')).rejects.toThrow(/no file or folder acme\/other here\. .*not in the cache/)
    expect(asked()).toEqual([])
  })

  it.each(['map', 'splits', 'constructor', '__proto__'])('has no split that would replace a method: %s', async name => {
    add({ [`data/${name}-00000-of-00001.csv`]: 'n\n1\n', 'data/train-00000-of-00001.csv': 'n\n2\n' })
    await expect(loadDataset(id)).rejects.toThrow(`A split cannot be called '${name}'`)
    expect((await loadDataset(id, { split: 'train' })).column('n')).toEqual([2])
    expect((await loadDataset(id, { split: name })).column('n')).toEqual([1])
  })

  it('has all its splits without a connection, also those that were never fetched', async () => {
    add(bySplit)
    await loadDataset(id, { split: 'train' })
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    expect(await getDatasetSplitNames(id)).toEqual(['train', 'validation', 'test'])
    expect((await loadDataset(id, { split: 'train' })).length).toBe(2)
    await expect(loadDataset(id)).rejects.toThrow(
      /^extra\/dev\.csv, test\.csv of dataset "acme\/reviews" are not in the cache \(.*\), and nothing may be fetched/,
    )
  })
})

describe('a dataset that is a loading script', () => {
  const script = { 'reviews.py': 'raise SystemExit("run")\n', 'README.md': card('license: mit') }

  it('has the rows that the Hub has converted', async () => {
    add(script)
    const shard = { 'movies/train/0000.parquet': parquet, 'movies/train/0001.parquet': parquet }
    add({ ...shard, 'movies/test/0000.parquet': parquet, 'books/own/0000.parquet': parquet }, 'refs/convert/parquet')
    const train = await loadDataset(id, 'movies', { split: 'train' })
    expect(train.length).toBe(14)
    expect(train.features['label']?.names).toEqual(['negative', 'neutral', 'positive'])
    expect(train.info).toEqual({ repository: id, configuration: 'movies', split: 'train' })
    const files = asked()
    expect(files).toContain('refs/convert/parquet')
    // one request, for whichever is first: both files have the same content
    expect(files.filter(path => path.endsWith('.parquet'))).toEqual([
      expect.stringMatching(/^movies\/train\/000[01]\.parquet$/),
    ])
    expect(files).not.toContain('reviews.py')
    expect((await loadDataset(id, 'books')).numRows).toEqual({ own: 7 })
    await expect(loadDataset(id)).rejects.toThrow(
      /acme\/reviews has several configurations: books, movies\. Name one: loadDataset\('acme\/reviews', 'books'\)/,
    )
    await expect(loadDataset(id, 'movie')).rejects.toThrow(/no configuration 'movie'.*Did you mean 'movies'\?/)
    expect(await getDatasetConfigNames(id)).toEqual(['books', 'movies'])
    expect(await getDatasetSplitNames(id, 'movies')).toEqual(['train', 'test'])
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    expect((await loadDataset(id, 'books')).numRows).toEqual({ own: 7 })
  })

  it('is an error where the Hub has converted nothing, or another revision is wanted', async () => {
    add(script)
    await expect(loadDataset(id)).rejects.toThrow(
      /holds a loading script \(reviews\.py\) and no data files\. Scripts are not run, and the Hub has not converted/,
    )
    add(script, 'v1')
    await expect(loadDataset(id, { revision: 'v1' })).rejects.toThrow(/at revision "v1" holds .* Leave revision out/)
  })

  it('has its own files where there are some', async () => {
    add({ ...script, ...bySplit })
    add({ 'movies/train/0000.parquet': parquet }, 'refs/convert/parquet')
    expect((await loadDataset(id)).numRows).toEqual({ train: 2, validation: 1, test: 1 })
    expect(asked()).not.toContain('refs/convert/parquet')
    expect((await loadDataset(id, { revision: 'refs/convert/parquet' })).numRows).toEqual({ train: 7 })
  })
})

describe('what could be a path or an id', () => {
  it('is the path where that is there, and takes no options of the Hub then', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, id), { recursive: true })
    writeFileSync(join(folder, id, 'train.csv'), 'text\nlocal\n')
    add(bySplit)
    const before = process.cwd()
    process.chdir(folder)
    try {
      expect((await loadDataset(id)).train.column('text')).toEqual(['local'])
      expect(used.hub.requests).toEqual([])
      await expect(loadDataset(id, { revision: 'main' })).rejects.toThrow(
        /revision is an option of datasets of the Hub; acme\/reviews is a folder here\. Leave it out/,
      )
    } finally {
      process.chdir(before)
    }
  })

  it('is neither: the error names both', async () => {
    await expect(loadDataset('acme/revews')).rejects.toMatchObject({
      code: 'hub',
      message: expect.stringMatching(
        /There is no file or folder acme\/revews here\. .*dataset "acme\/revews"/,
      ) as string,
    })
    const before = used.hub.requests.length
    for (const path of ['./acme/reviews', 'acme/reviews/train', 'missing/train.csv', '/nowhere/at/all'])
      await expect(loadDataset(path)).rejects.toThrow(/There is no file or folder/)
    expect(used.hub.requests.length).toBe(before)
  })

  it('is gated or private: another error each', async () => {
    used.hub.add('dataset', 'acme/gated', bySplit, { gated: true })
    used.hub.add('dataset', 'acme/private', bySplit, { private: true })
    await expect(loadDataset('acme/gated')).rejects.toThrow(/Access to dataset "acme\/gated" is gated/)
    await expect(loadDataset('acme/private')).rejects.toThrow(/no dataset "acme\/private".*log in/)
    expect((await loadDataset('acme/private', { token: 'hf_loopback' })).numRows['train']).toBe(2)
  })

  it('has no such split, or no data', async () => {
    add(bySplit)
    await expect(loadDataset(id, { split: 'dev' })).rejects.toThrow(
      /has no split 'dev'; there are train, validation, test/,
    )
    expect(asked()).toEqual(['main'])
    add({ 'README.md': 'Nothing.' })
    await expect(loadDataset(id)).rejects.toThrow(/acme\/reviews has no data files/)
  })
})
