import { describe, expect, it } from 'vitest'
import type { Dataset } from '../../src/data/dataset'
import { loadDataset, type LoadOptions } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()
let files = 0
async function read(text: string, options: LoadOptions = {}, extension = 'json'): Promise<Dataset> {
  return (await loadDataset(write(`${files++}.${extension}`, text), options)).train
}

const rows = [
  { text: 'late again', label: 0 },
  { text: 'on time', label: 1 },
]
const columns = '{"text":["late again","on time"],"label":[0,1]}'

describe('layouts of JSON', () => {
  // `datasets` 5.2 reads all of these so but the second, which it takes for one row of lists
  it.each([
    ['a list for each column under a field', `{"version":"1.0","data":${columns}}`, { field: 'data' }, rows],
    ['a list for each column', columns, {}, rows],
    ['one row on one line', '{"text": "late again", "label": 0}\n', {}, rows.slice(0, 1)],
    ['one row on several lines', '{\n "text": "late again",\n "label": 0\n}\n', {}, rows.slice(0, 1)],
    ['one row that holds a list', '{"ids": [1, 2], "label": 0}', {}, [{ ids: [1, 2], label: 0 }]],
    ['one row that holds objects', '{"a":{"x":1},"b":{"x":2}}', {}, [{ a: { x: 1 }, b: { x: 2 } }]],
    ['a list of texts', '["a","b"]', {}, [{ text: 'a' }, { text: 'b' }]],
    [
      'a list of texts under a field',
      '{"text":["a","b"],"label":[0,1]}',
      { field: 'text' },
      [{ text: 'a' }, { text: 'b' }],
    ],
    ['one row under a field', '{"data":{"text":"a"}}', { field: 'data' }, [{ text: 'a' }]],
  ])('%s', async (_, text, options, wanted) => expect((await read(text, options)).toArray()).toEqual(wanted))

  it('without rows are errors that say what there is', async () => {
    await expect(read('{"a":[{"x":1}],"b":[{"x":2}]}', { field: 'c' })).rejects.toThrow(
      /has no field 'c'; its fields are a, b\. Name one of its fields/,
    )
    await expect(read('[1]', { field: 'a' })).rejects.toThrow(/no field 'a', because it is not an object/)
    await expect(read('3')).rejects.toThrow(/no array of rows: it is 3/)
    await expect(read('[{"a":1},2]')).rejects.toThrow(/element 1 of the array is not an object/)
  })
})

describe('numbers of JSON', () => {
  it("may be Python's NaN and Infinity", async () => {
    const file = '{"text": "a", "label": NaN}\n{"text": "NaN", "label": 1}\n{"text": "b", "label": -Infinity}\n'
    for (const extension of ['jsonl', 'json']) {
      const dataset = await read(file, {}, extension)
      expect(dataset.column('label')).toEqual([NaN, 1, -Infinity])
      expect(dataset.column('text')).toEqual(['a', 'NaN', 'b'])
    }
  })

  it('that no double holds are refused', async () => {
    await expect(read('{"a":1}\n{"a":1e400}\n', {}, 'jsonl')).rejects.toThrow(/line 2: .*the number 1e400 is too large/)
    expect((await read('{"a":1e300,"t":"1e400"}', {}, 'jsonl')).toArray()).toEqual([{ a: 1e300, t: '1e400' }])
  })

  it('that are written with a point are floating-point numbers', async () => {
    const dtype = async (text: string): Promise<unknown> => (await read(text, {}, 'jsonl')).features['a']?.dtype
    expect(await dtype('{"a":1}\n{"a":2.0}\n')).toBe('float64')
    expect(await dtype('{"a":5.0}\n{"a":3.25}\n')).toBe('float64')
    expect(await dtype('{"a":1}\n{"a":2.5}\n')).toBe('float64')
    expect(await dtype('{"a":1, "b": "\\"a\\": 2.0"}\n')).toBe('int64')
    expect(await dtype('{"a":"1.0"}\n')).toBe('string')
    expect((await read('{"d":[{"a":1.0},{"a":2}]}', { field: 'd' })).features['a']?.dtype).toBe('int64')
  })

  it('and texts in one column are neither', async () => {
    const dataset = await read('{"a":1,"b":1}\n{"a":"1","b":2.5}\n{"a":true,"b":null}\n', {}, 'jsonl')
    expect(dataset.column('a')).toEqual([1, '1', true])
    expect([dataset.features['a']?.dtype, dataset.features['b']?.dtype]).toEqual(['json', 'float64'])
  })
})

it('tells columns and lists of numbers with a point from whole ones', async () => {
  // as datasets 5.2
  const rows =
    '{"é": 1.0, "b": [2, 3.0], "c": [[1], [1e2]], "d": [1], "e": {"f": 1.0}}\n{"é": 2, "b": [], "c": null, "d": [2]}'
  const dtypes = async (text: string): Promise<unknown[]> =>
    Object.values((await read(text, {}, 'jsonl')).features).map(({ dtype }) => dtype)
  expect(await dtypes(rows)).toEqual(['float64', 'float64', 'float64', 'int64', 'struct'])
  expect(await dtypes(rows.replaceAll('é', '\\u00e9'))).toEqual(['float64', 'float64', 'float64', 'int64', 'struct'])
})
