import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, type FileMetaData } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { Features } from '../../src/data/features'
import { Dataset, loadDataset } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'

async function written(
  dataset: Pick<Dataset, 'toParquet'>,
  options = {},
): Promise<{ path: string; metadata: FileMetaData }> {
  const path = join(temporaryFolder(), 'rows.parquet')
  await dataset.toParquet(path, options)
  return { path, metadata: await parquetMetadataAsync(await asyncBufferFromFile(path)) }
}

function featuresIn(metadata: FileMetaData): unknown {
  const text = metadata.key_value_metadata!.find(({ key }) => key === 'huggingface')!.value!
  return (JSON.parse(text) as { info: { features: unknown } }).info.features
}

const value = (dtype: string): object => ({ dtype, _type: 'Value' })

describe('toParquet', () => {
  it('gives back every cell: missing ones, texts, the edges of numbers, lists and objects', async () => {
    const rows = [
      { n: 2 ** 53 - 1, f: -0, t: '\uFEFFä€😀\0', b: true, l: [1, -2], m: [[0.5], []], s: { x: 1, y: ['q'] } },
      { n: null, f: Number.NaN, t: '', b: false, l: [], m: [], s: { x: null, y: [] } },
      { n: -(2 ** 53 - 1), f: -Infinity, t: null, b: null, l: null, m: null, s: null },
      { n: 0, f: 0, t: 'x', b: true, l: [null, 3], m: [null, [null, 5e-324]], s: { x: 4, y: null } },
    ]
    const { path } = await written(Dataset.fromRows(rows))
    const read = await loadDataset(path, { split: 'train' })
    expect(read.toArray()).toEqual(rows)
    expect(Object.is(read.get(0)['f'], -0)).toBe(true)
    expect(read.features['m']?.feature?.feature).toEqual({ type: 'Value', dtype: 'float64' })
  })

  it("writes features as Python's datasets does, and types as pyarrow does", async () => {
    const features: Features = {
      label: { type: 'ClassLabel', dtype: 'int64', names: ['nég', "it's"] },
      small: { type: 'Value', dtype: 'uint8' },
      tags: { type: 'List', dtype: 'int64', feature: { type: 'ClassLabel', dtype: 'int64', names: ['O', 'B'] } },
      raw: { type: 'Value', dtype: 'binary' },
    }
    const columns = { label: [1, -1, null], small: [255, null, 0], tags: [[0, 1], [], null], raw: [[0, 255], [], null] }
    const dataset = Dataset.fromColumns({ ...columns, none: [null, null, null], whole: [1, 2, null] }, features)
    const { metadata, path } = await written(dataset)
    expect(featuresIn(metadata)).toEqual({
      label: { names: ['nég', "it's"], _type: 'ClassLabel' },
      small: value('uint8'),
      tags: { feature: { names: ['O', 'B'], _type: 'ClassLabel' }, _type: 'List' },
      raw: value('binary'),
      none: value('null'),
      whole: value('int64'),
    })
    const shape = metadata.schema.map(({ name, type, converted_type: kept }) => [name, type, kept])
    expect(shape).toEqual([
      ['schema', undefined, undefined],
      ['label', 'INT64', undefined],
      ['small', 'INT32', 'UINT_8'],
      ['tags', undefined, 'LIST'],
      ['list', undefined, undefined],
      ['element', 'INT64', undefined],
      ['raw', 'BYTE_ARRAY', undefined],
      ['none', 'INT32', undefined],
      ['whole', 'INT64', undefined],
    ])
    const read = await loadDataset(path, { split: 'train' })
    expect(read.features).toMatchObject(features)
    expect(read.column('raw')).toEqual(columns.raw)
  })

  it('finds types in all rows, not in the first ones alone', async () => {
    const late = Array.from({ length: 200 }, (_, row) => (row < 150 ? row : row + 0.5))
    const field = late.map((number, row) => (row < 150 ? { a: 1 } : { a: 1, b: number }))
    const { metadata } = await written(Dataset.fromColumns({ late, field, mixed: late.map((n, i) => (i ? n : 'x')) }))
    expect(featuresIn(metadata)).toEqual({
      late: value('float64'),
      field: { a: value('int64'), b: value('float64') },
      mixed: { _type: 'Json' },
    })
  })

  it('keeps what a file declared: objects of lists, values of several types, lists of objects', async () => {
    const answers = [
      { text: ['a', 'b'], answer_start: [1, 2] },
      { text: [], answer_start: [] },
    ]
    const json = [{ k: [1, 'x'] }, 'text']
    const { path } = await written(Dataset.fromColumns({ answers, json, spans: [[{ at: 1 }], []] }))
    const first = await loadDataset(path, { split: 'train' })
    const { path: again } = await written(first)
    const second = await loadDataset(again, { split: 'train' })
    expect(second.toArray()).toEqual([
      { answers: answers[0], json: json[0], spans: [{ at: 1 }] },
      { answers: answers[1], json: json[1], spans: [] },
    ])
    expect(second.features).toEqual(first.features)
    expect(second.features['json']).toEqual({ type: 'Json', dtype: 'json' })
  })

  it('writes row groups of some rows, and of some megabytes by itself', async () => {
    const short = Dataset.fromColumns({ n: Array.from({ length: 10 }, (_, row) => row), t: Array(10).fill('x') })
    const { metadata, path } = await written(short, { batchSize: 4 })
    expect(metadata.row_groups.map(group => [group.num_rows, group.columns.length])).toEqual([
      [4n, 2],
      [4n, 2],
      [2n, 2],
    ])
    expect(metadata.num_rows).toBe(10n)
    expect((await loadDataset(path, { split: 'train' })).toArray()).toEqual(short.toArray())
    const long = Dataset.fromColumns({ t: Array.from({ length: 5 }, (_, row) => String(row).repeat(1 << 20)) })
    expect((await written(long)).metadata.row_groups.map(group => group.num_rows)).toEqual([2n, 2n, 1n])
  })

  it('writes a dataset without rows, with its features', async () => {
    const names = ['a', 'b']
    const empty = Dataset.fromColumns({ label: [] }, { label: { type: 'ClassLabel', dtype: 'int64', names } })
    const { path } = await written(empty)
    const read = await loadDataset(path, { split: 'train' })
    expect([read.length, read.features['label']?.names]).toEqual([0, names])
  })

  it('refuses a row that is not what its column holds, and leaves nothing behind', async () => {
    const folder = temporaryFolder()
    const write = (values: unknown[], dtype: string, names?: string[]): Promise<number> => {
      const feature = { type: names === undefined ? 'Value' : 'ClassLabel', dtype, ...(names && { names }) } as const
      return Dataset.fromColumns({ c: values }, { c: feature }).toParquet(join(folder, 'c.parquet'))
    }
    await expect(write([1, 300], 'uint8')).rejects.toThrow("Column 'c' holds 300 at row 1; uint8 was expected.")
    await expect(write([0, 'x'], 'int64')).rejects.toThrow("Column 'c' holds 'x' at row 1; int64 was expected.")
    await expect(write([2], 'int64', ['a', 'b'])).rejects.toThrow('a number of one of its 2 classes was expected')
    await expect(write(['ok', '\uD83D'], 'string')).rejects.toThrow('at row 1; a text of whole characters')
    await expect(write([1], 'duration[s]')).rejects.toThrow(
      "Column 'c' holds values of type duration[s], which is not written here. Leave it out: removeColumns('c').",
    )
    await expect(Dataset.fromColumns({ c: [{}] }).toParquet(join(folder, 'c.parquet'))).rejects.toThrow(
      'without fields',
    )
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses a path and a size that are none', async () => {
    const dataset = Dataset.fromRows([{ a: 1 }])
    await expect(dataset.toParquet('')).rejects.toThrow("toParquet() takes the path of a file, not ''.")
    await expect(dataset.toParquet('x.parquet', { batchSize: 0 })).rejects.toThrow('batchSize must be a whole number')
    await expect(dataset.toParquet('/nowhere/at/all.parquet')).rejects.toMatchObject({ code: 'file' })
  })
})
