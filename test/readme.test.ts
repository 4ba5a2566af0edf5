import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { PrinterCallback, Trainer } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { optimizerKinds } from '../src/arguments/optimizers'
import { architectures } from '../src/models/registry'
import { scheduleTypes } from '../src/optim/schedules'
import { smallModel } from './helpers/classifier'
import { readme as page, written } from './documents/programs'
import { printedBy, programFolder } from './helpers/snippets'
import { openHub } from './helpers/useHub'

const root = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const readme = page.text
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter(file => file.endsWith('.md'))
    .map(file => `docs/${file}`),
]

const folder = programFolder('readme')
const { file } = written(page, folder)[0]!

describe("the README's TypeScript", () => {
  it('is there', () => {
    expect(readFileSync(file, 'utf8').length).toBeGreaterThan(1000)
  })

  it('runs from nothing but ids, on a Hub with a small model and some rows', async () => {
    const { hub, close } = await openHub()
    hub.add('model', 'sentence-transformers/all-MiniLM-L6-v2', await checkpointFiles(join(folder, 'checkpoint')))
    hub.add('dataset', 'nyu-mll/glue', datasetFiles())
    const printed = await printedBy(file, folder).finally(close)
    expect(printed[0]).toEqual([
      expect.objectContaining({
        eval_loss: expect.any(Number),
        eval_accuracy: expect.any(Number),
        eval_f1: expect.any(Number),
        epoch: 3,
      }),
    ])
    expect(printed[1]).toEqual([[{ label: expect.stringMatching(/^LABEL_[01]$/), score: expect.any(Number) }]])
    expect(readdirSync(join(folder, 'out/mrpc')).filter(name => name.startsWith('checkpoint-'))).toHaveLength(3)
    expect(existsSync(join(folder, 'out/mrpc/best/onnx/model.onnx'))).toBe(true)
  })
})

describe('what the README says', () => {
  it('begins with the two commands, and is short', () => {
    expect(readme.slice(0, 1000)).toMatch(/npm ci && npm run quickstart[^]*npm ci && npm test/)
    expect(readme.split('\n').length).toBeLessThan(190)
  })

  it('is so: models, optimizers and schedules', () => {
    const models = /^\| Models \| ([^:]*?), by an id/m.exec(readme)![1]!.match(/[\w-]+/g)!
    expect(models.toSorted()).toEqual(Object.keys(architectures).toSorted())
    const training = /^\| Training \| (.*)\|$/m.exec(readme)![1]!.toLowerCase()
    expect([...new Set(Object.values(optimizerKinds))].filter(kind => !training.includes(kind))).toEqual([])
    expect(training).toContain(`${scheduleTypes.length} schedules`)
  })

  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const document of documents) {
      const named = [...read(document).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
      expect(
        named.filter(name => scripts[name] === undefined),
        document,
      ).toEqual([])
    }
  })
})

describe('the documents', () => {
  it.each(documents)('%s links to files that there are', document => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, link]) => link!)
    expect(links.filter(link => !existsSync(join(root, dirname(document), link)))).toEqual([])
  })
})

/** The files of a repository of a model without a head for the task. */
async function checkpointFiles(target: string): Promise<Record<string, Uint8Array>> {
  const trainer = new Trainer({ model: smallModel(), args: { outputDir: target } })
  trainer.removeCallback(PrinterCallback)
  await trainer.saveModel()
  cpSync(join(root, 'examples/data/tokenizer'), target, { recursive: true })
  const paths = readdirSync(target, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    paths.map(entry => [
      relative(target, join(entry.parentPath, entry.name)),
      readFileSync(join(entry.parentPath, entry.name)),
    ]),
  )
}

function datasetFiles(): Record<string, string> {
  const rows = Array.from({ length: 40 }, (_, row) => ({
    sentence1: `He has ${row} of them.`,
    sentence2: `Of them he has ${row % 7}.`,
    label: row % 2,
    idx: row,
  }))
  const lines = rows.map(row => `${JSON.stringify(row)}\n`).join('')
  return { 'mrpc/train.jsonl': lines, 'mrpc/validation.jsonl': lines }
}
