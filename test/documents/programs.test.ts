import { expect, it } from 'vitest'
import { problemsOf, programFolder } from '../helpers/snippets'
import {
  adapters,
  artifacts,
  graphs,
  heads,
  hub,
  pipelines,
  readme,
  report,
  tasks,
  trackers,
  written,
} from './programs'

it('the programs of README.md and of the pages of docs compile', () => {
  const files = Object.entries({
    readme,
    tasks,
    pipelines,
    hub,
    artifacts,
    adapters,
    heads,
    graphs,
    report,
    trackers,
  }).flatMap(([name, page]) => written(page, programFolder(name)).map(({ file }) => file))
  expect(files.length).toBeGreaterThan(15)
  expect(problemsOf(files)).toEqual([])
})
