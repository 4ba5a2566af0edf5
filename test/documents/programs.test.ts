import { expect, it } from 'vitest'
import { problemsOf, programFolder } from '../helpers/snippets'
import { adapters, artifacts, heads, hub, readme, tasks, written } from './programs'

it('the programs of README.md, docs/tasks.md, docs/hub.md, docs/artifacts.md, docs/adapters.md and docs/heads.md compile', () => {
  const files = Object.entries({ readme, tasks, hub, artifacts, adapters, heads }).flatMap(([name, page]) =>
    written(page, programFolder(name)).map(({ file }) => file),
  )
  expect(files.length).toBeGreaterThan(15)
  expect(problemsOf(files)).toEqual([])
})
