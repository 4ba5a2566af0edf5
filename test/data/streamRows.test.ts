import { setLogLevel, streamRows, type StreamRowsOptions, type WrittenRow } from 'ts-trainer'
import { describe, expect, it } from 'vitest'

setLogLevel('error')

/** The bytes of a text, so many at a time. */
async function* piecesOf(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

async function read(
  text: string | Uint8Array,
  options: StreamRowsOptions = {},
  size = 1,
): Promise<{ rows: WrittenRow[]; format: string | undefined; error: string | undefined }> {
  const all: WrittenRow[] = []
  let found: string | undefined
  try {
    for await (const { format, rows } of streamRows(piecesOf(text, size), options)) {
      all.push(...rows)
      found = format
    }
    return { rows: all, format: found, error: undefined }
  } catch (error) {
    return { rows: all, format: found, error: (error as Error).message }
  }
}

const sizes = [1, 2, 3, 7, 64, 100_000]

describe('streamRows', () => {
  it.each(sizes)('reads CSV as it is written, %i bytes at a time', async size => {
    const text = '\uFEFFid;text\r\n\r\n007;"a ""b"";\r\nc"\r\n"";é🙂\r\n'
    expect(await read(text, {}, size)).toEqual({
      format: 'csv',
      error: undefined,
      rows: [
        { number: 3, cells: { id: '007', text: 'a "b";\r\nc' } },
        { number: 4, cells: { id: '', text: 'é🙂' } },
      ],
    })
  })

  it.each(sizes)('reads JSON Lines with the numbers of their lines, %i bytes at a time', async size => {
    const text = '\n {"text":"a","n":1.0}\r\n\r{"text":"é🙂","n":12345678901234567890}'
    const { rows, format, error } = await read(text, {}, size)
    expect({ format, error }).toEqual({ format: 'jsonl', error: undefined })
    expect(rows).toEqual([
      { number: 2, cells: { text: 'a', n: 1 }, json: '{"text":"a","n":1.0}' },
      {
        number: 4,
        cells: { text: 'é🙂', n: 12345678901234567890n },
        json: '{"text":"é🙂","n":12345678901234567890}',
      },
    ])
  })

  it.each(sizes)('gives the rows before a broken one, and tells its number, %i bytes at a time', async size => {
    const csv = await read('a,b\n1,2\n\n3,4\n5\n6,7\n', {}, size)
    expect(csv.rows.map(({ number, cells }) => [number, cells['b']])).toEqual([
      [2, '2'],
      [4, '4'],
    ])
    expect(csv.error).toBe('The input, row 5: 2 cells were expected (a, b), but it has 1. Mend that row in the file.')
    const open = await read('a,b\n1,2\n3,"4\n5,6\n', {}, size)
    expect(open.rows).toHaveLength(1)
    expect(open.error).toMatch(/^The input, row 3: a quote opens that is never closed\./)
    const json = await read('{"a":1}\n\n{"a":2}\n{"a":\n{"a":4}\n', { name: 'rows.jsonl' }, size)
    expect(json.rows.map(({ cells }) => cells['a'])).toEqual([1, 2])
    expect(json.error).toMatch(/^rows\.jsonl, line 4: not valid JSON/)
    expect((await read('{"a":1}\n[1]\n', {}, size)).error).toBe('The input, line 2: an object was expected, not [1].')
  })

  it('takes the format that is given, and options of its own alone', async () => {
    expect((await read('a\tb\n"x\ty\n', { format: 'tsv' })).rows[0]!.cells).toEqual({ a: '"x', b: 'y' })
    expect((await read('x|y\n', { columnNames: ['a', 'b'], delimiter: '|' })).rows).toEqual([
      { number: 1, cells: { a: 'x', b: 'y' } },
    ])
    expect((await read('{"a":1}', { delimiter: ';' })).error).toBe(
      'delimiter is an option of CSV and TSV; The input is JSON Lines.',
    )
    expect((await read('a', { format: 'xml' as 'csv' })).error).toMatch(/^format is 'xml'; one of "csv"/)
  })

  it('reads nothing of nothing, and refuses other encodings', async () => {
    expect(await read('')).toEqual({ rows: [], format: undefined, error: undefined })
    expect((await read('\n \n')).rows).toEqual([])
    expect((await read('a,b\n')).rows).toEqual([])
    expect((await read(Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a))).error).toMatch(/^The input is not UTF-8: see its bytes/)
  })

  it('closes what it reads from, wherever its reader stops', async () => {
    for (const text of ['{"a":1}\n{"a":2}\n', '{"a":1}\n{\n', 'a,b\n1,2\n3\n']) {
      let isClosed = false
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield new TextEncoder().encode(text)
          await new Promise(() => undefined)
        } finally {
          isClosed = true
        }
      }
      await streamRows(bytes()).next()
      expect(isClosed).toBe(false)
      const stopped = async (): Promise<void> => {
        for await (const { rows } of streamRows(bytes())) if (rows.length > 0 && text.endsWith('2}\n')) break
      }
      await stopped().catch(() => undefined)
      expect(isClosed).toBe(true)
    }
  })
})
