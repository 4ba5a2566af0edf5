import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { openForReading, readText } from '../../src/files/readFile'
import { temporaryFiles } from '../helpers/temporaryFiles'

const fixtures = join(import.meta.dirname, '../fixtures/hub/lfs-pointer')
const write = temporaryFiles()
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0f'.repeat(32)}\nsize 123456\n`

describe('a pointer of Git LFS', () => {
  it.each(['dataset', 'dataset-alone'])('does not become rows: %s', async name => {
    await expect(loadDataset(join(fixtures, name))).rejects.toThrow(
      /train\.csv is a pointer of Git LFS, not the file itself, which has 1130 bytes: .*git lfs pull/,
    )
  })

  it.each([
    'a.parquet',
    'a.csv',
    'a.tsv',
    'a.jsonl',
    'a.json',
    'a.txt',
    'a.jsonl.gz',
    'a.csv.zip',
    'a.zip',
    'a.json.zst',
  ])('is refused as %s', async name => {
    await expect(loadDataset(write(name, pointer))).rejects.toThrow(/is a pointer of Git LFS.* 123456 bytes/)
  })

  it('is refused where weights and configs are read', async () => {
    const weights = join(fixtures, 'model/model.safetensors')
    await expect(openForReading(weights)).rejects.toThrow(/model\.safetensors is a pointer .* 7220 bytes/)
    await expect(readText(write('tokenizer.json', pointer))).rejects.toThrow(/tokenizer\.json is a pointer/)
  })

  it.each([
    [
      'the old address, extensions and \\r\\n',
      pointer
        .replace('git-lfs.github', 'hawser.github')
        .replace('oid', 'ext-0-foo sha256:00\noid')
        .replaceAll('\n', '\r\n'),
    ],
    ['no last line break', pointer.trimEnd()],
  ])('may have %s', async (_, text) => {
    await expect(loadDataset(write('b.txt', text))).rejects.toThrow(/is a pointer of Git LFS/)
  })

  it.each([
    ['a text about pointers', `${pointer}and more\n`],
    ['a long text', pointer + '\n'.repeat(1024)],
    ['a line alone', 'version https://git-lfs.github.com/spec/v1\n'],
  ])('is not %s', async (_, text) => {
    const { train } = await loadDataset(write('c.txt', text))
    expect(train.get(0)).toEqual({ text: 'version https://git-lfs.github.com/spec/v1' })
  })
})
