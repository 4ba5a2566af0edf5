// the program of docs/trackers.md is run; the page names all trackers, and the variables that are read
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { expect, it } from 'vitest'
import { printedBy, programFolder } from '../helpers/snippets'
import { trackers, written } from './programs'

setLogLevel('error')

const folder = programFolder('trackers')
const [program] = written(trackers, folder)

it('docs/trackers.md has a program that runs', async () => {
  await printedBy(program!.file, folder)
  const [run] = readdirSync(join(folder, 'out/runs'))
  expect(readdirSync(join(folder, 'out/runs', run!))).toEqual([expect.stringMatching(/^events\.out\.tfevents\./)])
  const lines = readFileSync(join(folder, 'out/log.jsonl'), 'utf8').trim().split('\n')
  expect(lines.map(line => (JSON.parse(line) as { step: number }).step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
})

it('docs/trackers.md names every environment variable that a tracker reads', () => {
  const root = join(import.meta.dirname, '../../src/trackers')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const text = files.map(name => readFileSync(join(root, name), 'utf8')).join('\n')
  const named = new Set(text.match(/\b(?:MLFLOW|HF_MLFLOW|DISABLE_MLFLOW|TENSORBOARD|TRACKIO|WANDB)_[A-Z_]+[A-Z]\b/g))
  named.delete('WANDB_WORKER') // is set for the thread of @wandb/sdk, and read nowhere here
  expect(named.size).toBeGreaterThan(10)
  expect([...named].filter(name => !trackers.text.includes(name))).toEqual([])
})
