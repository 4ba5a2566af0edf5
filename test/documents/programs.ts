// the programs of the pages: the test of each page runs its own, and programs.test.ts compiles all of them at once
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programOf } from '../helpers/snippets'

interface Page {
  readonly text: string
  /** By the titles of their sections. */
  readonly programs: ReadonlyMap<string, string>
}

export const readme = pageOf('README.md', text => [['README', programOf(text)]])
export const tasks = pageOf('docs/tasks.md', bySection)
export const adapters = pageOf('docs/adapters.md', bySection)
export const pipelines = pageOf('docs/pipelines.md', bySection)
export const heads = pageOf('docs/heads.md', bySection)
export const report = pageOf('docs/report.md', text => [['report', programOf(text)]])
export const graphs = pageOf('docs/graphs.md', text => [['graphs', programOf(text)]])
export const trackers = pageOf('docs/trackers.md', text => [['trackers', programOf(text)]])
export const artifacts = pageOf('docs/artifacts.md', bySection)

/** The program of model cards goes on where the run ended. */
export const hub = pageOf('docs/hub.md', text => {
  const sections = new Map(bySection(text))
  const [run, cards] = ['Pushing a run', 'Model cards']
  sections.set(run!, sections.get(run!)! + sections.get(cards!)!)
  sections.delete(cards!)
  return sections
})

function pageOf(path: string, of: (text: string) => Iterable<readonly [string, string]>): Page {
  const text = readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
  return { text, programs: new Map(of(text)) }
}

/** The program of each section that has one. */
function bySection(text: string): (readonly [string, string])[] {
  const sections = text.split(/^## /m).map(section => [section.split('\n', 1)[0]!, programOf(section)] as const)
  return sections.filter(([, program]) => program !== '')
}

/** Writes the programs of a page into a folder. */
export function written({ programs }: Page, folder: string): { readonly title: string; readonly file: string }[] {
  return [...programs].map(([title, program]) => {
    const file = join(folder, `${title.replaceAll(/\W/g, '')}.ts`)
    writeFileSync(file, program)
    return { title, file }
  })
}
