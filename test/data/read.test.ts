import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'
import { temporaryFolder } from '../helpers/temporaryFolder'

const folder = temporaryFolder()

const write = temporaryFiles(folder)

describe('CSV and TSV', () => {
  it('refuses what is not UTF-8, naming the line', async () => {
    const latin = write('latin.csv', Buffer.from('text,label\nfine,1\ncaf\xe9,0\n', 'latin1'))
    await expect(loadDataset(latin)).rejects.toThrow(/latin\.csv is not UTF-8: see line 3.*iconv/s)
  })

  it('types columns, unquotes cells and reads empty ones as null', async () => {
    const file = write(
      'a.csv',
      'text,label,score,ok,id,note\n"Hello, ""you""\nthere",1,0.5,true,007,\n"",-2,1e3,False,8,x\n',
    )
    const { train } = await loadDataset(file)
    expect(train.toArray()).toEqual([
      { text: 'Hello, "you"\nthere', label: 1, score: 0.5, ok: true, id: '007', note: null },
      { text: null, label: -2, score: 1000, ok: false, id: '8', note: 'x' },
    ])
  })

  it('finds semicolons, and a byte order mark', async () => {
    expect((await loadDataset(write('b.csv', '\ufefftext;label\r\nx;1\r\n'))).train.toArray()).toEqual([
      { text: 'x', label: 1 },
    ])
  })

  it('reads the quotes of a TSV as characters, as in GLUE', async () => {
    const file = write('c.tsv', 'index\tsentence\tlabel\n0\t" hello\t1\n1\tyes " no\t0\n2\t"all"\t1\n')
    expect((await loadDataset(file)).train.toArray().map(row => row['sentence'])).toEqual([
      '" hello',
      'yes " no',
      '"all"',
    ])
  })

  it('reads them as quotes if only so all rows have the same cells, or on request', async () => {
    expect((await loadDataset(write('d.tsv', 'a\tb\n"x\ty"\t1\n'))).train.get(0)).toEqual({ a: 'x\ty', b: 1 })
    expect((await loadDataset(write('e.tsv', 'a\tb\n"x"\t1\n'), { quoting: true })).train.get(0)).toEqual({
      a: 'x',
      b: 1,
    })
  })

  it('names columns of a file without names', async () => {
    expect(
      (
        await loadDataset(write('f.tsv', 'gj04\t1\t\tOur friends\n'), {
          columnNames: ['source', 'label', 'mark', 'sentence'],
        })
      ).train.get(0),
    ).toEqual({ source: 'gj04', label: 1, mark: null, sentence: 'Our friends' })
  })

  it('names the row that does not fit', async () => {
    await expect(loadDataset(write('g.csv', 'a,b\n1,2\n3\n'))).rejects.toThrow(
      /g\.csv, row 3: 2 cells were expected \(a, b\), but it has 1/,
    )
    await expect(loadDataset(write('h.csv', 'a,b\n"x,2\n3,4\n'))).rejects.toThrow(/h\.csv, row 2: .*quoting: false/)
    await expect(loadDataset(write('i.csv', 'a,a\n1,2\n'))).rejects.toThrow(/two columns named 'a'/)
  })
})

describe('JSON and text', () => {
  it('reads JSON Lines, gzipped as well', async () => {
    const lines = '{"text":"a","label":1}\n\n{"text":"b","extra":[1,2]}\n'
    const wanted = [
      { text: 'a', label: 1, extra: null },
      { text: 'b', label: null, extra: [1, 2] },
    ]
    expect((await loadDataset(write('a.jsonl', lines))).train.toArray()).toEqual(wanted)
    expect((await loadDataset(write('a.jsonl.gz', gzipSync(lines)))).train.toArray()).toEqual(wanted)
    expect((await loadDataset(write('lines.json', lines))).train.toArray()).toEqual(wanted)
  })

  it('reads arrays, and the one array of an object', async () => {
    expect((await loadDataset(write('array.json', '[{"a":1},{"a":2}]'))).train.column('a')).toEqual([1, 2])
    expect((await loadDataset(write('object.json', '{"version":"1","data":[{"a":3}]}'))).train.column('a')).toEqual([3])
    expect(
      (await loadDataset(write('two.json', '{"x":[{"a":3}],"y":[{"a":4}]}'), { field: 'y' })).train.column('a'),
    ).toEqual([4])
    await expect(loadDataset(join(folder, 'two.json'))).rejects.toThrow(/no array of rows.*field: 'x' \(arrays: x, y\)/)
  })

  it('names the line that is wrong', async () => {
    await expect(loadDataset(write('bad.jsonl', '{"a":1}\n{"a":\n'))).rejects.toThrow(
      /bad\.jsonl, line 2: not valid JSON/,
    )
    await expect(loadDataset(write('list.jsonl', '{"a":1}\n[1]\n'))).rejects.toThrow(/line 2: an object was expected/)
  })

  it('reads lines of text', async () => {
    expect((await loadDataset(write('poem.txt', 'one\n\nthree\n'))).train.toArray()).toEqual([
      { text: 'one' },
      { text: '' },
      { text: 'three' },
    ])
  })
})

describe('rows in memory', () => {
  it('become a Dataset, or a DatasetDict', async () => {
    const rows = [
      { text: 'a', label: 0 },
      { text: 'b', label: 1 },
    ]
    const dataset = await loadDataset(rows)
    expect(dataset.get(1).text).toBe('b')
    expect((await loadDataset({ train: rows, test: rows.slice(1) })).numRows).toEqual({ train: 2, test: 1 })
    expect((await loadDataset({ train: rows }, { split: 'train[1:]' })).length).toBe(1)
    await expect(loadDataset([3 as unknown as object])).rejects.toThrow(/Row 0 is 3/)
  })
})
