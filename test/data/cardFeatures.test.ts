import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseFeatures, writeFeatures } from '../../src/data/features'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'

const fixtures = join(import.meta.dirname, '../fixtures/hub/yaml-features')
const write = temporaryFiles()
let folders = 0

/** What datasets 5.2 reads of each folder: features as `to_dict` writes them, and rows. */
interface Wanted {
  readonly rows: number
  readonly features: Readonly<Record<string, unknown>>
  readonly data: readonly object[]
}
type Case = Readonly<Record<'train' | 'test', Wanted>> & { readonly refuse?: object; readonly better?: unknown }
const { want } = JSON.parse(readFileSync(join(fixtures, 'case.json'), 'utf8')) as { want: Record<string, Case> }

/** What is refused, or read otherwise than Python reads it. */
const refusals: Readonly<Record<string, RegExp>> = {
  'extra-column': /train\.jsonl has a column 'id', which its README\.md does not declare/,
  'out-of-range': /train\.jsonl holds 17 at row 1; its README\.md declares one of 12 classes: opal, .*, thistle/,
  'unknown-name': /train\.csv holds "nobody" at row 1; its README\.md declares one of 12 classes: opal/,
}
const read = Object.keys(want).filter(name => refusals[name] === undefined && name !== 'list-of-objects')

/** A folder with a card that declares columns, and one file. */
function folder(features: string, file: string, content: string): string {
  const name = `${folders++}`
  write(`${name}/${file}`, content)
  return dirname(write(`${name}/README.md`, `---\ndataset_info:\n  features:\n${features}\n---\n`))
}

describe("a card's features", () => {
  it.each(read)('are those of Python, with its rows: %s', async name => {
    const [path = '', configuration] = name.split('/')
    const loaded = await loadDataset(join(fixtures, path), configuration)
    const split = Object.keys(want[name]!)[0] as 'train' | 'test'
    const wanted = want[name]![split]
    expect(loaded.numRows).toEqual({ [split]: wanted.rows })
    const { features } = loaded[split]
    expect(writeFeatures(features)).toEqual(wanted.features)
    expect(Object.keys(features)).toEqual(Object.keys(wanted.features))
    expect(loaded[split].toArray()).toEqual(wanted.data)
  })

  it.each(Object.keys(refusals))('refuse what does not fit: %s', async name => {
    await expect(loadDataset(join(fixtures, name))).rejects.toThrow(refusals[name]!)
  })

  it('take a list of objects for an object of lists where they are a sequence of fields', async () => {
    const { train } = await loadDataset(join(fixtures, 'list-of-objects'))
    const { answers } = want['list-of-objects']!.better as { answers: unknown }
    expect(train.column('answers')).toEqual(answers)
    expect(writeFeatures(train.features)).toEqual(want['full']!.train.features)
  })

  it('are read as Python writes them, of every kind', async () => {
    // from Features._to_yaml_list of datasets 5.2, but for `sequence` and `large_list` of older releases
    const yaml = `  - name: pair
    dtype:
      translation:
        languages:
        - en
        - fr
  - name: matrix
    dtype:
      array2_d:
        shape:
        - 2
        - 2
        dtype: float32
  - name: vector
    list: float64
    length: 2
  - name: nested
    list:
      list:
        class_label:
          names:
            '0': a
            '1': b
  - name: picture
    dtype: image
  - name: long
    large_list: large_string
  - name: object
    struct:
    - name: inner
      struct:
      - name: deep
        sequence: uint8
  - name: rank
    dtype:
      class_label:
        num_classes: '2'`
    const row =
      '{"pair":{"en":"a","fr":"b"},"matrix":[[1,2],[3,4]],"vector":[1,2],"nested":[["b"],[0,null]],"picture":null,' +
      '"long":["a"],"object":{"inner":{"deep":[255]}},"rank":"1"}\n'
    const { train } = await loadDataset(folder(yaml, 'train.jsonl', row))
    const value = (dtype: string): object => ({ dtype, _type: 'Value' })
    expect(writeFeatures(train.features)).toEqual({
      pair: { languages: ['en', 'fr'], _type: 'Translation' },
      matrix: { shape: [2, 2], dtype: 'float32', _type: 'Array2D' },
      vector: { feature: value('float64'), length: 2, _type: 'List' },
      nested: { feature: { feature: { names: ['a', 'b'], _type: 'ClassLabel' }, _type: 'List' }, _type: 'List' },
      picture: { _type: 'Image' },
      long: { feature: value('large_string'), _type: 'LargeList' },
      object: { inner: { deep: { feature: value('uint8'), _type: 'List' } } },
      rank: { names: ['0', '1'], _type: 'ClassLabel' },
    })
    expect(parseFeatures(writeFeatures(train.features))).toEqual(train.features)
    expect(train.get(0)).toEqual({
      pair: { en: 'a', fr: 'b' },
      matrix: [
        [1, 2],
        [3, 4],
      ],
      vector: [1, 2],
      nested: [[1], [0, null]],
      picture: null,
      long: ['a'],
      object: { inner: { deep: [255] } },
      rank: 1,
    })
  })

  it.each([
    ['dtype: int8', '128', /holds 128 at row 0; its README\.md declares int8/],
    ['dtype: uint8', '-1', /holds -1 at row 0; .* uint8/],
    ['dtype: bool', '"maybe"', /holds "maybe" at row 0; .* bool/],
    ['list: int64', '[1, 1.5]', /holds 1\.5 at row 0; .* int64/],
    ['list: int64', '{"b": 1}', /holds \{ b \} at row 0; .* a list/],
    ['list: int64\n    length: 2', '[1]', /holds a list at row 0; .* a list of 2 elements/],
    ['struct:\n    - name: b\n      dtype: string', '{"c": 1}', /holds \{ c \} at row 0; .* an object of b/],
    ['list:\n      class_label:\n        names: [x, y]', '["x", "z"]', /holds "z" at row 0; .* one of 2 classes: x, y/],
    ['dtype: text', '1', /The features in .*README\.md say of 'a' what is not read here: it has the type text/],
    ['dtype:\n      class_label:\n        names: [x, x]', '0', /say of 'a' .*: it names two classes 'x'/],
    ['dtype:\n      class_label:\n        names: {1: x, 2: y}', '0', /it numbers its classes 1, 2, without 0/],
    ['struct:\n    - dtype: string', '{"c": 1}', /say of 'a' .* not a list of named columns/],
  ])('name what does not fit: %j %s', async (feature, cell, message) => {
    const place = folder(`  - name: a\n    ${feature}`, 'train.jsonl', `{"a": ${cell}}\n`)
    await expect(loadDataset(place)).rejects.toThrow(message)
  })

  it.each([
    // datasets 5.2 gives the same
    ['dtype: float16', '[0.1, 65520, -1e-8, 2049, 2051]', [0.0999755859375, Infinity, -0, 2048, 2052]],
    ['dtype: float32', '[0.1, "inf", "1e3", true]', [Math.fround(0.1), Infinity, 1000, 1]],
    ['dtype: int64', '["-0", "12", 3.0, false]', [0, 12, 3, 0]],
    ['dtype: string', '[true, 1, "x", {"a": 1}]', ['true', '1', 'x', '{"a":1}']],
    ['dtype: bool', '["TRUE", 0, 2, "false"]', [true, false, true, false]],
    ['dtype:\n      class_label:\n        names: [neg, pos]', '[true, " neg", "1", -1]', [1, 0, 1, -1]],
  ])('cast cells as Arrow does: %j %s', async (feature, cells, wanted) => {
    const rows = (JSON.parse(cells) as unknown[]).map(a => JSON.stringify({ a })).join('\n')
    const { train } = await loadDataset(folder(`  - name: a\n    ${feature}`, 'train.jsonl', rows))
    expect(train.column('a')).toEqual(wanted)
  })

  it('take booleans of a CSV for the numbers of classes, unless they name them', async () => {
    const read = async (names: string): Promise<unknown> => {
      const yaml = `  - name: a\n    dtype:\n      class_label:\n        names: ${names}`
      return (await loadDataset(folder(yaml, 'train.csv', 'a\nTrue\nFalse\n'))).train.column('a')
    }
    expect(await read('[neg, pos]')).toEqual([1, 0])
    expect(await read("['True', 'False']")).toEqual([0, 1])
  })
})
