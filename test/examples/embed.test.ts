// a library on top of ts-trainer: examples/embed.ts
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { trainClassifier } from '../../examples/embed'
import { labelled } from '../../scripts/examples/rows'
import { writeModel } from '../../scripts/examples/run'
import { temporaryFolder } from '../helpers/temporaryFolder'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'examples/embed.ts')

it('learns what it is given, and says how likely its answers are', async () => {
  const rows = labelled(['text'], 3).map(({ text, label }) => ({ text: String(text), label: `kind ${String(label)}` }))
  const model = join(temporaryFolder(), 'model')
  await writeModel({ train: rows }, model)
  const classifier = await trainClassifier(rows, { model, folder: temporaryFolder(), epochs: 60, learningRate: 2e-3 })
  const answers = await classifier.classify(rows.map(({ text }) => text))
  expect(answers.map(({ label }) => label)).toEqual(rows.map(({ label }) => label))
  for (const { score } of answers) expect(score).toBeGreaterThan(1 / 3)
  await classifier.close()
})

it('has types of its own: its declarations do not name ts-trainer', () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const declared = { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true }
  const program = ts.createProgram([file], { ...declared, typeRoots: [join(root, 'node_modules/@types')] })
  let text = ''
  program.emit(program.getSourceFile(file), (_name, written) => void (text += written))
  expect(text).toMatch(/trainClassifier\(rows: readonly \{[^]*\): Promise<Classifier>/)
  expect(text).not.toMatch(/import|ts-trainer/)
})

it('is a library of 40 lines at most', () => {
  const library = readFileSync(file, 'utf8').split('export interface Classifier')[1]!.split('\nif (import.meta')[0]!
  expect(library.trim().split('\n').length).toBeLessThanOrEqual(40)
})

it('ownHead.ts has fewer than 60 lines', () => {
  expect(readFileSync(join(root, 'examples/ownHead.ts'), 'utf8').split('\n').length).toBeLessThan(60)
})
