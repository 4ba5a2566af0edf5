// every program of docs/adapters.md is run, on a small model and some rows, and its table lists every option
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { beforeAll, describe, expect, it } from 'vitest'
import { labelled } from '../../scripts/examples/rows'
import { writeModel, writeRows } from '../../scripts/examples/run'
import { functionsWithOptions } from '../helpers/optionsOf'
import { printedBy, programFolder } from '../helpers/snippets'
import { adapters, written } from './programs'

setLogLevel('error')

const folder = programFolder('adapters')
const programs = written(adapters, folder)
const printed: Readonly<Record<string, readonly unknown[]>> = {
  'Training one': [
    [expect.stringMatching(/^trainable params: [\d,]+ \|\| all params: [\d,]+ \|\| trainable%: \d\.\d{4}$/)],
  ],
  'Opening and merging one': [],
  "Freezing, and rates of one's own": [
    [{ parameters: expect.arrayContaining(['classifier.weight']) as string[], weightDecay: 0.01, learningRate: 0 }],
  ],
}

describe('docs/adapters.md', () => {
  beforeAll(async () => {
    const data = { 'rows/train': labelled(['text'], 2) }
    await writeRows(data, folder)
    await writeModel(data, join(folder, 'bert'))
  })

  it('has programs that are all run', () => {
    expect(programs.map(({ title }) => title)).toEqual(Object.keys(printed))
  })

  it.each(programs)('$title: runs', async ({ title, file }) => {
    const lines = await printedBy(file, folder)
    expect(lines.slice(0, printed[title]!.length)).toEqual(printed[title])
  })

  it('leaves the files that it speaks of', () => {
    expect(existsSync(join(folder, 'out/adapter/adapter_model.safetensors'))).toBe(true)
    expect(existsSync(join(folder, 'out/merged/onnx/model.onnx'))).toBe(true)
  })

  it('has a table of all options', () => {
    const { options } = functionsWithOptions().find(({ name }) => name === 'getPeftModel/1')!
    const named = [...adapters.text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) => names!.match(/\w+/g)!)
    expect([...named, 'taskType'].sort()).toEqual([...options].sort())
  })
})
