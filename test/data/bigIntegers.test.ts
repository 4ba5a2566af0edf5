import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadDataset } from '../../src/data/read'
import { temporaryFiles } from '../helpers/temporaryFiles'

const write = temporaryFiles()
const ids = ['1026837156479717985', '1026837156479717986']
const parquet = fileURLToPath(new URL('../fixtures/data/bigIntegers.parquet', import.meta.url))
const rows = [
  { text: 'late again', label: 0 },
  { text: 'on time', label: 1 },
]
const jsonl = ids.map((id, at) => `{"id": ${id}, "text": "${rows[at]!.text}", "label": ${at}}\n`).join('')
const csv = `id,text,label\n${ids.map((id, at) => `${id},${rows[at]!.text},${at}\n`).join('')}`

describe.each([
  ['CSV', write('ids.csv', csv)],
  ['TSV', write('ids.tsv', csv.replaceAll(',', '\t'))],
  ['JSON Lines', write('ids.jsonl', jsonl)],
  ['JSON', write('ids.json', `[${jsonl.trim().replaceAll('\n', ',')}]`)],
  ['JSON of columns', write('columns.json', `{"id":[${ids.join()}],"text":["late again","on time"],"label":[0,1]}`)],
  ['parquet', parquet],
])('an integer beyond 2⁵³ in %s', (_, file) => {
  it('is refused, and its column is left out as the error advises', async () => {
    await expect(loadDataset(file)).rejects.toThrow(
      new RegExp(`Column 'id' of .* holds ${ids[0]}, .*columns: \\['text', 'label'\\]`),
    )
    expect((await loadDataset(file, { columns: ['text', 'label'] })).train.toArray()).toEqual(rows)
    expect((await loadDataset(file, { columns: ['label', 'text'] })).train.columnNames).toEqual(['label', 'text'])
  })

  it('does not hide a column that does not exist', async () => {
    await expect(loadDataset(file, { columns: ['txt', 'label'] })).rejects.toThrow(
      /no column 'txt'; its columns are id, text, label\. Did you mean 'text'/,
    )
  })
})

it('integers up to 2⁵³ - 1 are numbers, beyond it in texts and lists as anywhere', async () => {
  const edge = 2 ** 53 - 1
  expect((await loadDataset(write('edge.csv', `a,b\n${edge},-${edge}\n`))).train.toArray()).toEqual([
    { a: edge, b: -edge },
  ])
  expect((await loadDataset(write('edge.jsonl', `{"a":${edge}}`))).train.toArray()).toEqual([{ a: edge }])
  await expect(loadDataset(write('past.csv', `a\n${edge + 1}\n`))).rejects.toThrow(/holds 9007199254740992/)
  await expect(loadDataset(write('past.jsonl', `{"a":-${edge + 1}}`))).rejects.toThrow(/holds -9007199254740992/)
  await expect(loadDataset(write('lists.jsonl', `{"a":[1,${ids[0]}]}`))).rejects.toThrow(/Column 'a' of .* holds 1026/)
  expect((await loadDataset(write('texts.csv', `a\n${ids[0]}\nunknown\n`))).train.column('a')).toEqual([
    ids[0],
    'unknown',
  ])
  expect((await loadDataset(write('texts.jsonl', `{"a":"${ids[0]}"}`))).train.column('a')).toEqual([ids[0]])
})
