import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { splitsByName } from '../../src/data/splitNames'
import { temporaryFiles } from '../helpers/temporaryFiles'
import { temporaryFolder } from '../helpers/temporaryFolder'

const hub = fileURLToPath(new URL('../../../shared/hub/datasets', import.meta.url))
const folder = temporaryFolder()

const write = temporaryFiles(folder)

describe('folders as on the Hub', () => {
  it.each([
    ['train-00000-of-00002.parquet', 'train'],
    ['data/validation-00000-of-00001-abc12.parquet', 'validation'],
    ['data/unsupervised-00000-of-00001.parquet', 'unsupervised'],
    ['dev.tsv', 'validation'],
    ['dev_mismatched.tsv', 'validation'],
    ['my-test.csv.gz', 'test'],
    ['valid.jsonl', 'validation'],
    ['train/0000.parquet', 'train'],
    ['latest.csv', 'train'],
    ['everything.csv', 'train'],
  ])('%s belongs to %s', (file, split) => expect(splitsByName([file])).toEqual({ [split]: [file] }))

  it('finds splits by file names, in order, also in data/', async () => {
    for (const [name, content] of [
      ['test', 'z'],
      ['dev', 'y'],
      ['train', 'x'],
    ])
      write(`flat/data/${name}.csv`, `text\n${content}\n`)
    write('flat/dataset_infos.json', '{}')
    const splits = await loadDataset(join(folder, 'flat'))
    expect(Object.entries(splits.splits).map(([name, split]) => [name, split.get(0)['text']])).toEqual([
      ['train', 'x'],
      ['validation', 'y'],
      ['test', 'z'],
    ])
  })

  it('joins the files of a split', async () => {
    for (const part of [0, 1]) write(`sharded/train-0000${part}-of-00002.jsonl`, `{"n":${part},"ids":[${part},300]}\n`)
    const { train } = await loadDataset(join(folder, 'sharded'))
    expect(train.toArray()).toEqual([
      { n: 0, ids: [0, 300] },
      { n: 1, ids: [1, 300] },
    ])
    write('sharded/train-00002-of-00003.jsonl', '{"m":1}\n')
    await expect(loadDataset(join(folder, 'sharded'))).rejects.toThrow(/has the columns m, .* has n, ids/)
  })

  it('takes a configuration, and lists those that exist', async () => {
    for (const name of ['mrpc', 'rte']) write(`glue/${name}/train.csv`, `text\n${name}\n`)
    write('glue/sst2/train.csv', 'sentence\nsst2\n')
    expect((await loadDataset(join(folder, 'glue'), 'rte')).train.get(0)).toEqual({ text: 'rte' })
    expect((await loadDataset(join(folder, 'glue'), { name: 'rte', split: 'train' })).get(0)).toEqual({ text: 'rte' })
    await expect(loadDataset(join(folder, 'glue'))).rejects.toThrow(
      /train\.csv has the columns sentence, .* has text\. .* several configurations: mrpc, rte, sst2\. Name one: .*'mrpc'/,
    )
    await expect(loadDataset(join(folder, 'glue'), 'mrcp')).rejects.toThrow(
      /no configuration 'mrcp'; it has mrpc, rte, sst2.*Did you mean 'mrpc'/,
    )
  })

  it('gives several splits or slices as one dataset, as in Python', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'train.jsonl'), '{"a":"t0"}\n{"a":"t1"}\n{"a":"t2"}\n')
    writeFileSync(join(folder, 'validation.jsonl'), '{"a":"v0"}\n{"a":"v1"}\n')
    const load = async (split: string): Promise<unknown> => (await loadDataset(folder, { split })).column('a')
    expect(await load('train+validation')).toEqual(['t0', 't1', 't2', 'v0', 'v1'])
    expect(await load('validation+train')).toEqual(['v0', 'v1', 't0', 't1', 't2'])
    expect(await load('train[:2]+validation[-1:]')).toEqual(['t0', 't1', 'v1'])
    expect(await load('train[:50%]+validation[:50%]')).toEqual(['t0', 't1', 'v0'])
    expect(await load('train+train')).toEqual(['t0', 't1', 't2', 't0', 't1', 't2'])
    expect(await load('all')).toEqual(await load('train+validation'))
    expect((await loadDataset(folder, { split: 'all' })).info.split).toBe('train+validation')
    for (const split of ['train + validation', 'train[:1]+', '+train'])
      await expect(load(split)).rejects.toThrow(/the name of a split or of a slice was expected/)
    const rows = { train: [{ a: 1 }, { a: 2 }], test: [{ a: 3 }] }
    expect((await loadDataset(rows, { split: 'test+train[1:]' })).column('a')).toEqual([3, 2])
    const other = { train: join(folder, 'train.jsonl'), test: join(folder, 'b.jsonl') }
    writeFileSync(other.test, '{"b":1}\n')
    await expect(loadDataset('json', { dataFiles: other, split: 'train+test' })).rejects.toThrow(
      "split 'train' has the columns a, split 'test' has b: they are not one Dataset.",
    )
  })

  it('says which split may be meant, and what to write in place of a list of them', async () => {
    const rows = { train: [{ a: 1 }], validation: [{ a: 2 }], test_matched: [{ a: 3 }] }
    const meant = {
      dev: 'validation',
      val: 'validation',
      Valid: 'validation',
      training: 'train',
      test: 'test_matched',
      trian: 'train',
    }
    for (const [split, name] of Object.entries(meant))
      await expect(loadDataset(rows, { split })).rejects.toThrow(
        `has no split '${split}'; there are train, validation, test_matched. Did you mean '${name}'?`,
      )
    await expect(loadDataset(rows, { split: ['train', 'validation'] as unknown as string })).rejects.toThrow(
      /one split was expected, not a list\. Leave it out, and take them by their names .*'train\+validation'/,
    )
  })

  it('gives one split, or a slice of it', async () => {
    const file = write('ten/train.csv', `n\n${Array.from({ length: 10 }, (_, i) => i).join('\n')}\n`)
    expect((await loadDataset(dirname(file), { split: 'train[:20%]' })).column('n')).toEqual([0, 1])
    expect((await loadDataset(dirname(file), undefined, { split: 'train[-2:]' })).column('n')).toEqual([8, 9])
    await expect(loadDataset(dirname(file), { split: 'test' })).rejects.toThrow(/no split 'test'; there is train/)
    await expect(loadDataset(dirname(file), { split: 'train[a]' })).rejects.toThrow(/slice/)
  })

  it('takes files by name', async () => {
    write('a.jsonl', '{"text":"x"}\n{"text":"y"}\n')
    write('array.json', '[{"text":"x"},{"text":"y"}]')
    const dataFiles = { train: 'a.jsonl', test: ['array.json'] }
    expect((await loadDataset(folder, { dataFiles })).numRows).toEqual({ train: 2, test: 2 })
    await expect(loadDataset(folder, { dataFiles: 'aray.json' })).rejects.toThrow(
      /no file or folder .*aray\.json.*Did you mean .*array\.json/,
    )
  })

  it('takes files from elsewhere, hidden ones and those of a folder', async () => {
    const rows = (name: string): string => `file\n${name}\n`
    const place = dirname(write('many/a/train.csv', rows('a/train')))
    for (const name of ['many/b/x[1].csv', 'many/b/x2.csv', 'many/.h/y.csv', 'many/a/test.csv', 'many/dev.csv'])
      write(name, rows(name))
    const files = async (dataFiles: string | string[], from = place): Promise<unknown> =>
      (await loadDataset(from, { dataFiles })).train.column('file')
    expect(await files('../b/*.csv')).toEqual(['many/b/x2.csv', 'many/b/x[1].csv'])
    expect(await files('../b/x[1].csv')).toEqual(['many/b/x[1].csv'])
    expect(await files([join(folder, 'many/b/x?.csv'), '../dev.csv', '../d*.csv'])).toEqual([
      'many/b/x2.csv',
      'many/dev.csv',
    ])
    expect(await files('**', dirname(place))).not.toContain('many/.h/y.csv')
    expect(await files('.h/*', dirname(place))).toEqual(['many/.h/y.csv'])
    expect(await files(join(place, 'train.csv'), 'csv')).toEqual(['a/train'])
    expect((await loadDataset(dirname(place), { dataDir: './a/' })).numRows).toEqual({ train: 1, test: 1 })
    expect((await loadDataset(dirname(place), { dataDir: 'b', dataFiles: 'x2.csv' })).numRows).toEqual({ train: 1 })
    await expect(loadDataset(dirname(place), { dataDir: 'c' })).rejects.toThrow(/many\/c has no data files/)
    await expect(loadDataset(dirname(place), 'a', { dataDir: 'b' })).rejects.toThrow(/dataDir names the folder/)
  })

  it.each([[], '', {}, { train: [] }, { train: 1 }, [1], 5])('refuses files that are none: %j', async dataFiles => {
    await expect(loadDataset(folder, { dataFiles: dataFiles as string })).rejects.toThrow(
      /dataFiles must be a path, a list of paths, or such for each split/,
    )
  })

  it('refuses what is not read', async () => {
    const file = write('one.csv', 'a\n1\n')
    await expect(loadDataset('csv')).rejects.toThrow(/'csv'\) reads the files that dataFiles names, and none are/)
    await expect(loadDataset(file, { dataFiles: file })).rejects.toThrow(/is a file, and dataFiles names others/)
    await expect(loadDataset(file, 'a')).rejects.toThrow(/one\.csv is a file, so that the configuration 'a' chooses/)
    await expect(loadDataset(folder, { token: 'hf_x' })).rejects.toThrow(/token is an option of datasets of the Hub/)
    await expect(loadDataset(folder, { dataFiles: '[z-a].csv' })).rejects.toThrow(/'\[z-a\]\.csv' is not a pattern/)
  })

  it('says where rows are from, and keeps it', async () => {
    write('from/train.csv', 'a\n1\n2\n')
    const dataset = await loadDataset(join(folder, 'from'), { split: 'train[:1]' })
    const info = { repository: undefined, configuration: 'default', split: 'train[:1]' }
    expect(dataset.info).toEqual(info)
    expect(
      (await dataset.map(() => ({ b: 1 })))
        .filter(() => true)
        .shuffle(1)
        .removeColumns('a').info,
    ).toEqual(info)
    expect((await loadDataset([{ a: 1 }])).info.split).toBeUndefined()
  })

  it('says what exists beside a path that does not', async () => {
    mkdirSync(join(folder, 'empty'))
    await expect(loadDataset(join(folder, 'empty'))).rejects.toThrow(/empty has no data files/)
    await expect(loadDataset(join(folder, 'flatt'))).rejects.toThrow(/no file or folder .*Did you mean .*flat\?/)
    await expect(loadDataset(write('thing.xyz', ''))).rejects.toThrow(/does not say what it holds/)
  })

  it.skipIf(!existsSync(hub))(`reads GLUE and IndoNLU (skipped without ${'../shared/hub'})`, async () => {
    const mrpc = await loadDataset(join(hub, 'nyu-mll/glue'), 'mrpc')
    expect(mrpc.numRows).toEqual({ train: 3668, validation: 408, test: 1725 })
    expect(mrpc.train.features['label']?.names).toEqual(['not_equivalent', 'equivalent'])
    const scores = await loadDataset(join(hub, 'nyu-mll/glue'), 'stsb', { split: 'validation' })
    expect(scores.features['label']?.dtype).toBe('float32')
    expect((await loadDataset(join(hub, 'indonlp/indonlu'), 'smsa')).train.features['label']?.names).toEqual([
      'positive',
      'neutral',
      'negative',
    ])
  })
})
