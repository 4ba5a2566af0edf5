// the programs of docs/artifacts.md are run; its program in Python is run by `npm run verify -- artifacts`
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { expect, it } from 'vitest'
import { printedBy, programFolder } from '../helpers/snippets'
import { tinyModel } from '../helpers/tinyModel'
import { artifacts, written } from './programs'

setLogLevel('error')

const folder = programFolder('artifacts')
const files = written(artifacts, folder).map(({ file }) => file)

it('has programs that make artifacts and train them', async () => {
  expect(files).toHaveLength(3)
  await tinyModel().savePretrained(join(folder, 'bert'))
  expect(await printedBy(files[0]!, folder)).toEqual([])
  const steps = (await printedBy(files[1]!, folder)) as [number, number][]
  expect(steps.map(([step]) => step)).toEqual([1, 2, 3, 4, 5])
  expect(steps[4]![1]).toBeLessThan(steps[0]![1])
  const printed = (await printedBy(files[2]!, folder)).flat()
  expect(Number(printed.at(-1))).toBeLessThan(0.1)
})

it('has loops of at most 30 lines', () => {
  for (const [, block] of artifacts.text.matchAll(/^```(?:ts|python)\n([^]*?)^```$/gm))
    expect(block!.split('\n').filter(line => line.trim() !== '').length).toBeLessThanOrEqual(30)
})
