import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { unpackFile } from '../../src/data/unpack'
import { temporaryFiles } from '../helpers/temporaryFiles'
import { zipOf } from '../helpers/wheels'

const fixtures = join(import.meta.dirname, '../fixtures/hub/compressed-files')
const write = temporaryFiles()

/** What datasets 5.2 reads of each folder. */
type Case = Readonly<Record<string, { readonly data: readonly object[] }>>
const { want } = JSON.parse(readFileSync(join(fixtures, 'case.json'), 'utf8')) as { want: Record<string, Case> }

const refusals: Readonly<Record<string, RegExp>> = {
  'cut-gz': /train\.jsonl\.gz is broken or cut off: its gzip data cannot be unpacked \(unexpected end of file\)/,
  'gz-name-plain-content': /The name of .*train\.jsonl\.gz says gzip, but it begins with .*rename it: train\.jsonl\./,
  // Python has modules for them
  'csv.bz2': /train\.csv\.bz2 is compressed by bzip2, which is not read here\. Unpack it: bunzip2 /,
  'jsonl.xz': /train\.jsonl\.xz is compressed by xz, which is not read here\. Unpack it: unxz /,
}
const csv = (...rows: readonly string[]): Buffer => Buffer.from(`text,label\n${rows.join('\n')}\n`)

/** Bytes of a zstd frame of blocks of one byte repeated, 128 KiB each; with what its header says of its content. */
function zstdFrame(blocks: number, content?: bigint, window = 0x50): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, content === undefined ? 0 : 0xc0, window])
  const size = Buffer.alloc(content === undefined ? 0 : 8)
  if (content !== undefined) size.writeBigUInt64LE(content)
  const block = (isLast: boolean): number[] => {
    const written = (131072 << 3) + 2 + Number(isLast)
    return [written & 255, (written >> 8) & 255, written >> 16, 97]
  }
  const all = Array.from({ length: blocks }, (_, at) => block(at === blocks - 1)).flat()
  return Buffer.concat([header, size, Buffer.from(all)])
}

const all = (): boolean => true

describe('compressed files', () => {
  it.each(Object.keys(want).filter(name => refusals[name] === undefined))('are read as by Python: %s', async name => {
    const loaded = await loadDataset(join(fixtures, name))
    expect(Object.keys(loaded.numRows).sort()).toEqual(Object.keys(want[name]!).sort())
    for (const split of Object.keys(want[name]!) as 'train'[])
      expect(loaded[split].toArray()).toEqual(want[name]![split]!.data)
  })

  it.each(Object.keys(refusals))('are refused: %s', async name => {
    await expect(loadDataset(join(fixtures, name))).rejects.toThrow(refusals[name]!)
  })

  it('are told by their bytes, under any name', async () => {
    const parquet = readFileSync(join(import.meta.dirname, '../fixtures/data/labelled.parquet'))
    const plain = (await loadDataset(write('a.parquet', parquet))).train
    for (const name of ['b.parquet', 'b.parquet.gz']) {
      const { train } = await loadDataset(write(name, gzipSync(parquet)))
      expect(train.toArray()).toEqual(plain.toArray())
      expect(train.features).toEqual(plain.features)
    }
    const zip = zipOf({ 'anything.csv': csv('a,1') })
    for (const name of ['c.csv', 'c.csv.zip', 'c.csv.gz'])
      expect((await loadDataset(write(name, zip))).train.toArray()).toEqual([{ text: 'a', label: 1 }])
    const zstd = readFileSync(join(fixtures, 'jsonl.zst/train.jsonl.zst'))
    expect((await loadDataset(write('d.jsonl', zstd))).train.length).toBe(3)
    // a text may begin like an archive of bzip2
    expect((await loadDataset(write('e.txt', 'BZh9 is a word\n'))).train.column('text')).toEqual(['BZh9 is a word'])
  })

  it.each([
    ['gzip', 'a.jsonl.gz', (bytes: Buffer) => bytes.subarray(0, -9)],
    ['gzip', 'b.jsonl.gz', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(0, 30)])],
    [
      'gzip',
      'c.jsonl.gz',
      (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 6 ? byte ^ 1 : byte))),
    ],
    ['zstd', 'a.jsonl.zst', (bytes: Buffer) => bytes.subarray(0, -9)],
    ['zstd', 'b.jsonl.zst', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(0, 30)])],
    ['zstd', 'c.jsonl.zst', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('and more')])],
  ])('that are cut or broken are named: %s, %s', async (compression, name, damage) => {
    const whole = readFileSync(
      join(fixtures, compression === 'gzip' ? 'jsonl.gz/train.jsonl.gz' : 'jsonl.zst/train.jsonl.zst'),
    )
    await expect(loadDataset(write(name, damage(whole)))).rejects.toThrow(
      new RegExp(
        `${name} is broken or cut off: its ${compression} data cannot be unpacked \\(.+\\)\\. Download it again`,
      ),
    )
  })

  it.each([
    ['gzip', 'a.csv.gz', gzipSync(Buffer.alloc(1e6))],
    ['zstd of many blocks', 'b.csv.zst', zstdFrame(8)],
    ['zstd that says so', 'c.csv.zst', zstdFrame(1, 2n ** 40n)],
    ['zip', 'd.zip', zipOf({ 'a.csv': Buffer.alloc(300_000), 'b.csv': Buffer.alloc(300_000) })],
  ])('are unpacked up to a limit: %s', async (_, name, bytes) => {
    await expect(unpackFile(write(name, bytes), all, 500_000)).rejects.toThrow(
      new RegExp(`${name} unpacks to more than the 500000 bytes that are read of one file\\. .* split it`),
    )
    const { length } = bytes
    expect(length).toBeLessThan(2000)
  })

  it('are unpacked where they stay below it, and hold what they say', async () => {
    const [{ bytes } = { bytes: new Uint8Array() }] = (await unpackFile(write('e.csv.zst', zstdFrame(2)), all)) ?? []
    expect(bytes).toEqual(new Uint8Array(262144).fill(97))
    await expect(unpackFile(write('f.csv.zst', zstdFrame(2, 300_000n)), all)).rejects.toThrow(/f\.csv\.zst is broken/)
    await expect(unpackFile(write('g.csv.zst', zstdFrame(1, undefined, 0xff)), all)).rejects.toThrow(
      /g\.csv\.zst is broken .*a window of more than 134217728 bytes/,
    )
  })
})

describe('an archive', () => {
  it('gives the rows of its data files, folder by folder, under the options of their format', async () => {
    const files = { 'z.csv': csv('z,1'), 'a/b.csv': csv('b,2'), 'a.csv': csv('a,3'), 'B.csv.gz': gzipSync(csv('B,4')) }
    const others = { 'README.md': csv('no,0'), 'a/.hidden.csv': csv('no,0'), '__MACOSX/a/._b.csv': csv('no,0') }
    const zip = write('all.zip', zipOf({ ...files, ...others, 'a/': Buffer.alloc(0) }))
    const { train } = await loadDataset(zip)
    expect(train.column('text')).toEqual(['B', 'a', 'z', 'b'])
    expect(train.column('label')).toEqual([4, 3, 1, 2])
    expect((await loadDataset(zip, { columnNames: ['x', 'y'], skipRows: 1 })).train.columnNames).toEqual(['x', 'y'])
    await expect(loadDataset(zip, { field: 'data' })).rejects.toThrow(
      /field is an option of json files; .*all\.zip\/B\.csv/,
    )
  })

  it('names the member that is wrong', async () => {
    const uneven = zipOf({ 'a.csv': csv('a,1'), 'b/c.csv': csv('a,1,2') })
    await expect(loadDataset(write('uneven.zip', uneven))).rejects.toThrow(/uneven\.zip\/b\/c\.csv, row 2: 2 cells/)
    const mixed = zipOf({ 'a.csv': csv('a,1'), 'b.json': Buffer.from('[]') })
    await expect(loadDataset(write('mixed.zip', mixed))).rejects.toThrow(
      /mixed\.zip has files of several formats in it: .*mixed\.zip\/a\.csv and .*mixed\.zip\/b\.json\..* dataFiles/,
    )
    await expect(loadDataset(write('none.zip', zipOf({ 'a.png': csv() })))).rejects.toThrow(
      /none\.zip has no data files/,
    )
    await expect(loadDataset(write('plain.zip', csv('a,1')))).rejects.toThrow(
      /name of .*plain\.zip says zip, but .* "text,label/,
    )
    const stored = zipOf({ 'a.csv': csv('abc,1') }, all)
    stored[stored.indexOf('abc')]! ^= 1
    await expect(loadDataset(write('flipped.zip', stored))).rejects.toThrow(/flipped\.zip\/a\.csv is broken .*checksum/)
    const small = zipOf({ 'a.csv': csv('a'.repeat(1000)) })
    small.writeUInt32LE(10, small.indexOf('PK\x01\x02') + 24)
    await expect(loadDataset(write('lying.zip', small))).rejects.toThrow(/lying\.zip\/a\.csv is broken or cut off/)
  })

  it('of a folder is a split of its own', async () => {
    const folder = join(write('splits/train.zip', zipOf({ 'x.txt': Buffer.from('a\nb\n') })), '..')
    write('splits/test.txt.zip', zipOf({ 'x.txt': Buffer.from('c\n') }))
    expect((await loadDataset(folder)).numRows).toEqual({ train: 2, test: 1 })
    write('splits/train.csv', csv('a,1'))
    await expect(loadDataset(folder)).rejects.toThrow(/has the split train twice/)
    write('twice/train.csv', csv('a,1'))
    const twice = join(write('twice/train.csv.gz', gzipSync(csv('a,1'))), '..')
    await expect(loadDataset(twice)).rejects.toThrow(
      /has the split train twice: in .*train\.csv and in .*train\.csv\.gz/,
    )
  })
})
