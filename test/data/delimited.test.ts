import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { LoadOptions } from '../../src/data/read'
import { loadDataset } from '../../src/data/read'
import type { Dataset } from '../../src/data/dataset'
import { parseJson } from '../../src/json'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()

// What pandas reads (test/fixtures/data/make_delimited.py).
const pandas = parseJson(
  readFileSync(new URL('../fixtures/data/delimited.json', import.meta.url), 'utf8'),
) as unknown as readonly {
  sep: string
  text: string
  columns: Record<string, unknown[]>
  types: Record<string, string>
}[]

let files = 0
async function read(text: string | Uint8Array, options: LoadOptions = {}, extension = 'csv'): Promise<Dataset> {
  return (await loadDataset(write(`${files++}.${extension}`, text), options)).train
}

describe('pandas reads the same', () => {
  it.each(pandas)('of $text', async ({ sep, text, columns, types }) => {
    const dataset = await read(text, { sep })
    expect(Object.fromEntries(dataset.columnNames.map(name => [name, dataset.column(name)]))).toEqual(columns)
    expect(Object.fromEntries(dataset.columnNames.map(name => [name, dataset.features[name]?.dtype]))).toEqual(types)
  })
})

describe('line ends', () => {
  it('may be mixed: a header with \\n, rows with \\r\\n', async () => {
    const dataset = await read(
      'text,label\nfine food and quick service,1\r\nthe soup was cold,0\r\nwould come again,1\r\n',
    )
    expect(dataset.column('label')).toEqual([1, 0, 1])
    expect((await read('text\r\nfine food\r\ncold soup\r\nadded by a script\nand another\n')).length).toBe(4)
    expect((await read('a,b\r1,"x\r\ny"\n2,z')).toArray()).toEqual([
      { a: 1, b: 'x\r\ny' },
      { a: 2, b: 'z' },
    ])
  })

  it('may be mixed in JSON Lines and texts as well', async () => {
    expect((await read('{"a":1}\r\n{"a":2}\r{"a":3}\n', {}, 'jsonl')).column('a')).toEqual([1, 2, 3])
    expect((await read('{"a":1}\r{"a":2}', {}, 'json')).column('a')).toEqual([1, 2])
    expect((await read('one\rtwo\r\n\nfour\r', {}, 'txt')).column('text')).toEqual(['one', 'two', '', 'four'])
  })

  it('leave a quoted empty line of one column a row', async () => {
    expect((await read('text\na\n""\nb\n')).column('text')).toEqual(['a', null, 'b'])
  })
})

describe('the layout of a file', () => {
  it("is said by Excel's first line, or by options", async () => {
    const rows = [
      { text: 'gut, aber teuer', label: 1 },
      { text: 'schlecht', label: 0 },
    ]
    expect((await read('sep=;\r\ntext;label\r\ngut, aber teuer;1\r\nschlecht;0\r\n')).toArray()).toEqual(rows)
    expect((await read('"sep=|"\ntext|label\ngut, aber teuer|1\nschlecht|0\n')).toArray()).toEqual(rows)
    expect((await read('text::label\ngut, aber teuer::1\nschlecht::0\n', { sep: '::' })).toArray()).toEqual(rows)
    await expect(read('a;b\n', { sep: ';', delimiter: ',' })).rejects.toThrow(/delimiter is ',' and sep is ';'/)
    await expect(read('a;b\n', { delimiter: '' })).rejects.toThrow(/separates nothing/)
  })

  it('has decimal commas on request', async () => {
    const file = 'text;score\ngut, aber;0,5\nschlecht;1,25\n'
    expect((await read(file, { decimal: ',' })).column('score')).toEqual([0.5, 1.25])
    expect((await read(file)).column('score')).toEqual(['0,5', '1,25'])
    expect((await read('a,b\n"0,5",x\n"1,5",y\n', { decimal: ',' })).column('a')).toEqual([0.5, 1.5])
    // with a decimal comma a point does not make a number, as in pandas
    expect((await read('a;b\n0,5;1.5\n1.234,5;2\n', { decimal: ',' })).toArray()).toEqual([
      { a: '0,5', b: '1.5' },
      { a: '1.234,5', b: '2' },
    ])
  })

  it('may begin with lines that are left out, and be read in part', async () => {
    const file = 'made by a tool\n"on, Monday\n"\na,b\n1,2\n3,4\n'
    expect((await read(file, { skipRows: 2 })).toArray()).toEqual([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ])
    expect((await read(file, { skipRows: 2, nRows: 1, columns: ['b'] })).toArray()).toEqual([{ b: 2 }])
    expect((await read('a,b\n1,2\n', { skipRows: 1, columnNames: ['p', 'q'] })).toArray()).toEqual([{ p: 1, q: 2 }])
    expect((await read('sep=;\na;b\n1;2\n', { skipRows: 2, columnNames: ['p', 'q'] })).toArray()).toEqual([
      { p: 1, q: 2 },
    ])
  })
})

describe('names of columns', () => {
  it('cannot be those of an empty file', async () => {
    await expect(read('')).rejects.toThrow(/\.csv is empty: a line that names the columns was expected/)
    await expect(read('a,b\n', { skipRows: 1 })).rejects.toThrow(/has nothing left after skipRows: 1: a line/)
    expect((await read('a,b\n')).columnNames).toEqual(['a', 'b'])
  })

  it('may be missing: empty columns are left out, others have the names of pandas', async () => {
    expect((await read('v1,v2,,,\nham,see you at six,,,\nspam,you have won,,,\n')).toArray()).toEqual([
      { v1: 'ham', v2: 'see you at six' },
      { v1: 'spam', v2: 'you have won' },
    ])
    expect((await read(',text,\n0,a,\n1,b,x\n')).toArray()).toEqual([
      { 'Unnamed: 0': 0, text: 'a', 'Unnamed: 2': null },
      { 'Unnamed: 0': 1, text: 'b', 'Unnamed: 2': 'x' },
    ])
  })

  it('that occur twice are refused, with advice that helps', async () => {
    await expect(read('made by a tool\na,a\n1,2\n', { skipRows: 1 })).rejects.toThrow(
      /two columns named 'a'.*columnNames: \[…\], skipRows: 2/,
    )
    expect((await read('tool\na,a\n1,2\n', { skipRows: 2, columnNames: ['a', 'b'] })).toArray()).toEqual([
      { a: 1, b: 2 },
    ])
    await expect(read('1,2\n', { columnNames: ['a', 'a'] })).rejects.toThrow(/Give each of columnNames a name/)
  })

  it('are counted in rows that do not fit, and another way of quoting is advised only if it helps', async () => {
    await expect(read('a,b\n\n1,2\n3\n')).rejects.toThrow(/row 4: 2 cells .* has 1\. Mend that row in the file/)
    await expect(read('a,b\n"x",2\n"y,3\nz,4\n')).rejects.toThrow(
      /row 3: a quote opens that is never closed\. If quotes .* quoting: false/,
    )
    await expect(read('a,b\n"x,1",2\n"y,3\n')).rejects.toThrow(/row 3: a quote opens .*\. Mend that row/)
    await expect(read('a,b\n"x,1",2\n', { quoting: false })).rejects.toThrow(/has 3\. If quotes .* quoting: true/)
  })
})

describe('encodings', () => {
  const text = 'text,label\r\nkälter,1\r\nwarm,0\r\n'
  const rows = [
    { text: 'kälter', label: 1 },
    { text: 'warm', label: 0 },
  ]
  const little = Buffer.from(text, 'utf16le')
  const big = Buffer.from(little).swap16()

  it('are read by name, as Python spells them', async () => {
    expect((await read(Buffer.from(text, 'latin1'), { encoding: 'latin-1' })).toArray()).toEqual(rows)
    expect((await read(Buffer.from(text, 'latin1'), { encoding: 'cp1252' })).toArray()).toEqual(rows)
    expect((await read(Buffer.from(`\ufeff${text}`), { encoding: 'utf-8-sig' })).toArray()).toEqual(rows)
    expect((await read(little, { encoding: 'utf-16le' })).toArray()).toEqual(rows)
    expect((await read(little, { encoding: 'UTF_16' })).toArray()).toEqual(rows)
    expect((await read(big, { encoding: 'utf_16_be' })).toArray()).toEqual(rows)
    const japanese = Buffer.from([0x61, 0x0a, 0x93, 0xfa, 0x96, 0x7b, 0x0a])
    expect((await read(japanese, { encoding: 'shift_jis' })).column('a')).toEqual(['日本'])
    // Python's latin-1 gives every byte the character of its number, where the web reads Windows-1252
    const euro = Buffer.from('a\n\x80\n', 'latin1')
    expect((await read(euro, { encoding: 'latin1' })).column('a')).toEqual(['\x80'])
    expect((await read(euro, { encoding: 'cp1252' })).column('a')).toEqual(['€'])
  })

  it('are told apart: a byte order mark says UTF-16, zeros are an error that names it', async () => {
    expect((await read(Buffer.concat([Buffer.from([0xff, 0xfe]), little]))).toArray()).toEqual(rows)
    expect((await read(Buffer.concat([Buffer.from([0xfe, 0xff]), big]))).toArray()).toEqual(rows)
    await expect(read(little)).rejects.toThrow(/looks like UTF-16 without a byte order mark.*encoding: 'utf-16le'/)
    await expect(read(big)).rejects.toThrow(/encoding: 'utf-16be'/)
    await expect(read(Buffer.from(text, 'latin1'))).rejects.toThrow(/not UTF-8: see line 2.*encoding: 'latin1'/)
    await expect(read(text, { encoding: 'utf-9' })).rejects.toThrow(/encoding 'utf-9' is not known/)
    await expect(read(Buffer.from([0x93]), { encoding: 'shift_jis' })).rejects.toThrow(/is not shift_jis\./)
  })
})
