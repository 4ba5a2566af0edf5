import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Dataset, type IterableDataset, loadDataset, type LoadOptions } from '../../src/index'
import { temporaryFiles } from '../helpers/temporaryFiles'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'

const folder = temporaryFolder()
const write = temporaryFiles(folder)
const streaming = { split: 'train', streaming: true } as const

async function rowsOf(stream: AsyncIterable<object>): Promise<object[]> {
  const rows: object[] = []
  for await (const row of stream) rows.push(row)
  return rows
}

const open = (path: string, options: LoadOptions = {}): Promise<IterableDataset> =>
  loadDataset(path, { ...options, ...streaming })
const numbers = async (stream: AsyncIterable<object>): Promise<unknown[]> =>
  (await rowsOf(stream)).map(row => (row as { n: unknown }).n)
const counting = (count: number, first = 0): number[] => Array.from({ length: count }, (_, at) => at + first)

type Steps = readonly (readonly ['take' | 'skip', number])[]
interface Case {
  readonly files: string
  readonly before: Steps
  readonly mapped: boolean
  readonly seed: number | null
  readonly buffer: number
  readonly after: Steps
  readonly epoch: number
  readonly rows: readonly number[]
}

beforeAll(async () => {
  const save = (name: string, count: number, first: number, batchSize: number): Promise<number> =>
    Dataset.fromColumns({ n: counting(count, first) }).toParquet(join(folder, `${name}.parquet`), { batchSize })
  await save('one', 50, 0, 20)
  for (const at of counting(3)) await save(`m${at}`, 20, at * 100, 7)
  for (const at of counting(12)) await save(`k${String(at).padStart(2, '0')}`, 4, at * 10, 4)
})

describe('a stream of parquet', () => {
  // What Python's `datasets` gives (test/fixtures/data/make_streams.py).
  const cases = JSON.parse(
    readFileSync(new URL('../fixtures/data/streams.json', import.meta.url), 'utf8'),
  ) as readonly Case[]

  it.each(cases)("has Python's order: $files, $before, mapped $mapped, seed $seed, $after, epoch $epoch", async one => {
    const stepped = (stream: IterableDataset, steps: Steps): IterableDataset =>
      steps.reduce((left, [name, count]) => left[name](count), stream)
    let stream = stepped(await open(folder, { dataFiles: `${one.files}.parquet` }), one.before)
    if (one.mapped) stream = stream.map(() => undefined) as IterableDataset
    if (one.seed !== null) stream = stream.shuffle({ seed: one.seed, bufferSize: one.buffer })
    stream = stepped(stream, one.after)
    stream.setEpoch(one.epoch)
    expect(await numbers(stream)).toEqual(one.rows)
    expect(await numbers(stream)).toEqual(one.rows) // it starts over
  })

  it('knows its columns, and reads those that are asked for', async () => {
    const features = { label: { type: 'ClassLabel', dtype: 'int64', names: ['a', 'b'] } } as const
    const rows = Dataset.fromColumns({ label: [0, 1, null], t: ['x', null, 'z'], l: [[1], [], null] }, features)
    const path = join(folder, 'features.parquet')
    await rows.toParquet(path)
    const stream = await open(path)
    expect(stream.features).toEqual({ ...rows.features, ...features })
    expect(stream.columnNames).toEqual(['label', 't', 'l'])
    expect(await rowsOf(stream)).toEqual(rows.toArray())
    const one = await open(path, { columns: ['t'] })
    expect([one.columnNames, await rowsOf(one)]).toEqual([['t'], [{ t: 'x' }, { t: null }, { t: 'z' }]])
    await expect(open(path, { columns: ['text'] })).rejects.toThrow("has no column 'text'")
  })

  it('gives a DatasetDict of streams without a split, and refuses slices', async () => {
    const { splits, train } = await loadDataset(join(folder, 'one.parquet'), { streaming: true })
    expect(Object.keys(splits)).toEqual(['train'])
    expect(await numbers(train.take(2))).toEqual([0, 1])
    await expect(loadDataset(join(folder, 'one.parquet'), { streaming: true, split: 'train[:10]' })).rejects.toThrow(
      "A stream has no slices, but split asks for one of 'train'. Write split: 'train', and then .take(…).",
    )
    await expect(loadDataset(folder, { streaming: true, split: 'train+test' })).rejects.toThrow(
      'A stream is one of a single split, but split asks for several. Leave it out, and take them by their names.',
    )
    await expect(loadDataset(folder, { streaming: 'yes' as never })).rejects.toThrow("streaming is 'yes'")
  })

  it('says which file cannot be read', async () => {
    await expect(open(write('broken.parquet', 'PAR1 and no more of it'))).rejects.toThrow(
      /broken\.parquet could not be read as parquet/,
    )
  })
})

describe('the methods of a stream', () => {
  let stream: IterableDataset
  beforeEach(async () => {
    stream = await open(join(folder, 'one.parquet'))
  })

  it('map rows when they are read, one after another, and batches of them', async () => {
    const seen: number[] = []
    const doubled = stream.map((row: { n: number }, index) => {
      seen.push(index)
      return Promise.resolve({ double: row.n * 2 })
    })
    expect(doubled.features).toBeUndefined()
    expect(await rowsOf(doubled.take(2))).toEqual([
      { n: 0, double: 0 },
      { n: 1, double: 2 },
    ])
    expect(seen).toEqual([0, 1])
    const batched = stream.map(
      async (rows: { n: readonly number[] }, indices) => ({ sum: rows.n.map((n, at) => n + indices[at]!) }),
      { batched: true, batchSize: 3, removeColumns: 'n' },
    )
    expect(await rowsOf(batched.skip(4).take(2))).toEqual([{ sum: 8 }, { sum: 10 }])
    const fewer = stream.map(rows => ({ first: [rows['n']![0]!] }), {
      batched: true,
      batchSize: 25,
      removeColumns: ['n'],
    })
    expect(await rowsOf(fewer)).toEqual([{ first: 0 }, { first: 25 }])
    await expect(rowsOf(stream.map(() => 3 as never))).rejects.toThrow('returned a number at row 0')
    expect(() => stream.map(() => ({}), { removeColumns: 'm' })).toThrow("There is no column 'm'; the columns are n.")
  })

  it('filter, take and skip', async () => {
    const even = stream.filter((row: { n: number }) => row.n % 2 === 0)
    expect(even.columnNames).toEqual(['n'])
    expect(await numbers(even.skip(2).take(3))).toEqual([4, 6, 8])
    expect(await numbers(stream.filter(async (_: object, index) => index > 47))).toEqual([48, 49])
    expect(await numbers(stream.take(0))).toEqual([])
    expect(await numbers(stream.skip(60))).toEqual([])
    expect(() => stream.take(-1)).toThrow('take() must be a whole number, 0 or above, not -1.')
  })

  it('choose, leave out and rename columns', async () => {
    const wide = Dataset.fromColumns({ a: [1, 2], b: ['x', 'y'], c: [true, false] })
    await wide.toParquet(join(folder, 'wide.parquet'))
    const columns = await open(join(folder, 'wide.parquet'))
    expect(await rowsOf(columns.selectColumns('c', 'a').take(1))).toEqual([{ c: true, a: 1 }])
    expect(columns.selectColumns(['c', 'a']).columnNames).toEqual(['c', 'a'])
    const renamed = columns.removeColumns('c').renameColumn('b', 'text')
    expect([renamed.columnNames, await rowsOf(renamed.take(1))]).toEqual([['a', 'text'], [{ a: 1, text: 'x' }]])
    expect(() => columns.renameColumn('a', 'b')).toThrow("There is a column 'b' already, besides 'a'.")
    expect(() => columns.selectColumns('d')).toThrow("There is no column 'd'; the columns are a, b, c.")
    const unknown = columns.map(() => ({ d: 1 })).renameColumn('missing', 'x')
    await expect(rowsOf(unknown)).rejects.toThrow("There is no column 'missing'; the columns are a, b, c, d.")
  })

  it('batch rows as lists', async () => {
    const lists = stream.take(5).batch(2)
    expect(lists.features?.['n']).toMatchObject({ type: 'List', feature: { dtype: 'int64' } })
    expect(await rowsOf(lists)).toEqual([{ n: [0, 1] }, { n: [2, 3] }, { n: [4] }])
    expect(await rowsOf(stream.take(5).batch(2, { dropLastBatch: true }))).toHaveLength(2)
  })

  it('shuffle with seed 42 by default', async () => {
    const first = stream.shuffle()
    expect(await numbers(first)).toEqual(await numbers(stream.shuffle({ seed: 42 })))
    expect(await numbers(first)).not.toEqual(await numbers(stream.shuffle({ seed: 43 })))
    expect((await numbers(first)).toSorted((a, b) => Number(a) - Number(b))).toEqual(counting(50))
    expect(() => stream.shuffle({ bufferSize: 0 })).toThrow('bufferSize must be a whole number, 1 or above')
  })
})

describe('a stream of text files', () => {
  const long = 'é'.repeat(300)
  const texts = counting(5000).map(at => `${at} ${long}`) // some megabytes, so that a character stands on a border

  it.each(['\n', '\r\n', '\r'])('reads JSON Lines and lines of text, ended by %j', async end => {
    const lines = write('rows.jsonl', texts.map(t => JSON.stringify({ t, n: 2 })).join(end))
    expect((await rowsOf(await open(lines))).map(row => (row as { t: string }).t)).toEqual(texts)
    const plain = write('lines.txt', texts.join(end) + end)
    expect(await rowsOf(await open(plain))).toEqual(texts.map(text => ({ text })))
  })

  it('reads CSV and TSV as without streaming: quotes, line ends in cells, types, missing cells', async () => {
    const row = (at: number): string =>
      `${at}${at % 7 === 0 ? '' : '.5'},"say ""${at}""\r\n, ${long}",${at % 3 === 0 ? '' : 'x'}`
    const csv = write('rows.csv', `n,t,m\r\n\r\n${counting(5000).map(row).join('\r\n')}\r\n`)
    expect(await rowsOf(await open(csv))).toEqual((await loadDataset(csv, { split: 'train' })).toArray())
    const tsv = write('rows.tsv', `a\tb\n${texts.map((text, at) => `"${text}\t${at % 2 === 0}`).join('\n')}`)
    expect(await rowsOf(await open(tsv))).toEqual((await loadDataset(tsv, { split: 'train' })).toArray())
    const few = { columnNames: ['x', 'y'], sep: ';', nRows: 2, columns: ['y'] }
    const plain = write('plain.csv', '1;a\n2;b\n3;c\n')
    expect(await rowsOf(await open(plain, few))).toEqual([{ y: 'a' }, { y: 'b' }])
  })

  it('refuses a column that turns out to hold something else, and names the line of bad JSON', async () => {
    const late = write('late.csv', `n,t\n${texts.map((text, at) => `${at === 4999 ? 'many' : at},${text}`).join('\n')}`)
    await expect(open(late).then(rowsOf)).rejects.toThrow(
      /Column 'n' of .*late\.csv holds numbers in its first \d+ rows, and strings? behind them|holds numbers in its first \d+ rows, and texts behind them/,
    )
    const bad = write('bad.jsonl', `${texts.map(t => JSON.stringify({ t })).join('\n')}\n{"t": \n`)
    await expect(open(bad).then(rowsOf)).rejects.toThrow('bad.jsonl, line 5001: not valid JSON')
    const latin = write('latin.txt', Buffer.from([0x61, 0xe9, 0x0a]))
    await expect(open(latin).then(rowsOf)).rejects.toThrow(/latin\.txt is not UTF-8.*encoding: 'latin1'/)
    expect(await rowsOf(await open(latin, { encoding: 'latin1' }))).toEqual([{ text: 'aé' }])
  })

  it('reads what has no lines as a whole', async () => {
    const array = write('rows.json', '[{"a": 1}, {"a": 2}]')
    expect(await rowsOf(await open(array))).toEqual([{ a: 1 }, { a: 2 }])
    const packed = write('packed.jsonl.gz', gzipSync('{"a": 3}\n'))
    expect(await rowsOf(await open(packed))).toEqual([{ a: 3 }])
  })
})

describe('a stream of the Hub', () => {
  const used = useHub()

  /** The bytes of a file that were asked for, by the ranges of requests. */
  const asked = (name: string): number =>
    used.hub.requests
      .filter(({ method, path }) => method === 'GET' && path.includes(name))
      .map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [])
      .reduce((sum, [, start, end]) => sum + Number(end) - Number(start) + 1, 0)

  it('reads of a parquet file its footer, and the row groups and columns that are used', async () => {
    const noise = (at: number): string =>
      Array.from({ length: 40 }, (_, i) => ((at * 40 + i) * 2654435761) >>> 0).join()
    const path = join(folder, 'big.parquet')
    const columns = { n: counting(20_000), t: counting(20_000).map(noise) }
    await Dataset.fromColumns(columns).toParquet(path, { batchSize: 1000 })
    used.hub.add('dataset', 'acme/big', { 'data/train-00000-of-00001.parquet': readFileSync(path) })
    const { size } = statSync(path)
    const stream = await open('acme/big')
    expect(asked('train-')).toBeLessThan(size / 50)
    expect(await numbers(stream.take(10))).toEqual(counting(10))
    expect(asked('train-')).toBeGreaterThan(size / 30)
    expect(asked('train-')).toBeLessThan(size / 10)
    const all = asked('train-')
    expect(await numbers(await open('acme/big', { columns: ['n'] }))).toEqual(counting(20_000))
    expect(asked('train-') - all).toBeLessThan(size / 10)
  })

  it("casts to what the dataset's card declares, and reads lines too", async () => {
    const card =
      '---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n' +
      "          '0': neg\n          '1': pos\n---\n"
    used.hub.add('dataset', 'acme/lines', { 'README.md': card, 'train.jsonl': '{"label": "pos"}\n{"label": "neg"}\n' })
    const stream = await open('acme/lines')
    expect(stream.features?.['label']?.names).toEqual(['neg', 'pos'])
    expect(await rowsOf(stream)).toEqual([{ label: 1 }, { label: 0 }])
    expect(String(stream)).toBe("IterableDataset({ features: ['label'], numShards: 1 })")
    used.hub.add('dataset', 'acme/wrong', { 'README.md': card, 'train.jsonl': '{"label": "pos"}\n{"label": "none"}\n' })
    await expect(open('acme/wrong').then(rowsOf)).rejects.toThrow(
      "holds 'none' at row 1; its README.md declares one of 2 classes: neg, pos.",
    )
  })
})
