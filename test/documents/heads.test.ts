// every program of docs/heads.md is run, on a small model and some rows, and its table lists every part of a head
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { beforeAll, describe, expect, it } from 'vitest'
import { labelled } from '../../scripts/examples/rows'
import { writeModel, writeRows } from '../../scripts/examples/run'
import { functionsWithOptions } from '../helpers/optionsOf'
import { printedBy, programFolder } from '../helpers/snippets'
import { heads, written } from './programs'

setLogLevel('error')

const folder = programFolder('heads')
const programs = written(heads, folder)
const printed: Readonly<Record<string, readonly unknown[]>> = {
  'Two losses on one encoder': [
    [
      [16, 3],
      [16, 1],
    ],
  ],
  'Tokens and rows': [[['BertForIntentAndSlots']]],
}

describe('docs/heads.md', () => {
  beforeAll(async () => {
    const tickets = labelled(['text'], 3).map(({ text, label }, row) => ({ text, topic: label, urgency: row / 8 }))
    const data = { 'tickets/train': tickets, 'tickets/validation': tickets }
    await writeRows(data, folder)
    await writeModel(data, join(folder, 'bert'))
  })

  it('has programs that are all run', () => {
    expect(programs.map(({ title }) => title)).toEqual(Object.keys(printed))
  })

  it.each(programs)('$title: runs', async ({ title, file }) => {
    expect((await printedBy(file, folder)).slice(-1)).toEqual(printed[title])
  })

  it('leaves the files that it speaks of', () => {
    expect(existsSync(join(folder, 'out/tickets/onnx/model.onnx'))).toBe(true)
  })

  it('has a table of all parts', () => {
    const { options } = functionsWithOptions().find(({ name }) => name === 'ownHead/0')!
    const named = [...heads.text.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name)
    expect(named).toEqual([...options])
  })
})
