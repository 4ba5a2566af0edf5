// A folder laid out like the reference → the cases in it.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Checked, skip } from './compare'
import { checkArtifacts } from './artifactCases'
import { checkGraph } from './graphCases'
import { checkLora } from './loraCases'
import { checkModelCase } from './modelCases'
import { checkTokenizer } from './tokenizerCases'
import { checkTrainerEvents } from './trainerEvents'
import { checkTrainerRun } from './trainerRuns'

/** One oracle; its name is its path in the folder, without an ending. */
export interface Case {
  readonly name: string
  check(): Promise<Checked>
}

/**
 * The cases of a folder: models first, then runs, events, tokenizers, graphs and artifacts.
 * @param device where models and runs are computed; all other cases are then skipped.
 */
export function findCases(folder: string, device?: string): Case[] {
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  const models = folders.filter(name => existsSync(join(folder, name, 'case.json')))
  const others = ['trainer-runs', 'trainer-events', 'tokenizer', 'graphs', 'artifacts', 'lora']
  const computed = [
    ...models.map(name => ({ name, check: () => checkModelCase(join(folder, name), device) })),
    ...filesOf(folder, 'trainer-runs').map(({ name, path }) => ({ name, check: () => checkTrainerRun(path, device) })),
  ]
  const rest = [
    ...filesOf(folder, 'trainer-events').map(({ name, path }) => ({ name, check: () => checkTrainerEvents(path) })),
    ...foldersOf(folder, 'tokenizer').map(({ name, path }) => ({ name, check: () => checkTokenizer(path) })),
    ...foldersOf(folder, 'graphs').map(({ name, path }) => ({ name, check: () => checkGraph(path) })),
    ...foldersOf(folder, 'artifacts').map(({ name, path }) => ({ name, check: () => checkArtifacts(path) })),
    ...foldersOf(folder, 'lora').map(({ name, path }) => ({ name, check: () => checkLora(path) })),
    ...folders
      .filter(name => ![...models, ...others].includes(name))
      .map(name => ({ name, check: async () => ({ verdict: skip('this kind of oracle is not known here') }) })),
  ]
  const elsewhere = async (): Promise<Checked> => ({ verdict: skip(`it is not computed on ${device}`) })
  return [...computed, ...(device === undefined ? rest : rest.map(({ name }) => ({ name, check: elsewhere })))]
}

interface Found {
  readonly name: string
  readonly path: string
}

/** The oracle's files beside the model and the rows that they are about. */
function filesOf(folder: string, kind: string): Found[] {
  if (!existsSync(join(folder, kind))) return []
  const others = ['config.json', 'dataset.json', 'generation_config.json']
  const names = readdirSync(join(folder, kind))
    .filter(name => name.endsWith('.json') && !others.includes(name))
    .sort()
  return names.map(name => ({ name: `${kind}/${name.slice(0, -'.json'.length)}`, path: join(folder, kind, name) }))
}

function foldersOf(folder: string, kind: string): Found[] {
  if (!existsSync(join(folder, kind))) return []
  const names = readdirSync(join(folder, kind), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  return names.map(name => ({ name: `${kind}/${name}`, path: join(folder, kind, name) }))
}
