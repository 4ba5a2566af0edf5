// the programs of docs/artifacts.md are compiled and run; its program in Python is run by `npm run verify -- artifacts`
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { expect, it } from 'vitest'
import { printedBy, problemsOf, programFolder, programOf } from '../helpers/snippets'
import { tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

const page = readFileSync(join(import.meta.dirname, '../../docs/artifacts.md'), 'utf8')
const folder = programFolder('artifacts')
const files = page.split(/^## /m).flatMap((section, i) => {
  const program = programOf(section)
  if (program === '') return []
  const file = join(folder, `program${i}.ts`)
  writeFileSync(file, program)
  return [file]
})

it('has programs that compile, make artifacts and train them', async () => {
  expect(files).toHaveLength(3)
  expect(problemsOf(files)).toEqual([])
  await tinyModel().savePretrained(join(folder, 'bert'))
  expect(await printedBy(files[0]!, folder)).toEqual([])
  const steps = (await printedBy(files[1]!, folder)) as [number, number][]
  expect(steps.map(([step]) => step)).toEqual([1, 2, 3, 4, 5])
  expect(steps[4]![1]).toBeLessThan(steps[0]![1])
  const printed = (await printedBy(files[2]!, folder)).flat()
  expect(Number(printed.at(-1))).toBeLessThan(0.1)
})

it('has loops of at most 30 lines', () => {
  for (const [, block] of page.matchAll(/^```(?:ts|python)\n([^]*?)^```$/gm))
    expect(block!.split('\n').filter(line => line.trim() !== '').length).toBeLessThanOrEqual(30)
})
