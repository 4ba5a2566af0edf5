import { expect, it } from 'vitest'
import { problemsOf, programFolder } from '../helpers/snippets'
import { artifacts, hub, pipelines, readme, tasks, written } from './programs'

it('the programs of README.md, docs/tasks.md, docs/pipelines.md, docs/hub.md and docs/artifacts.md compile', () => {
  const files = Object.entries({ readme, tasks, pipelines, hub, artifacts }).flatMap(([name, page]) =>
    written(page, programFolder(name)).map(({ file }) => file),
  )
  expect(files.length).toBeGreaterThan(15)
  expect(problemsOf(files)).toEqual([])
})
