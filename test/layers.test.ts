import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { circles, filesOf, importsOf, neededBy, readSources, runtimeImportsOf, type Sources } from './helpers/imports'
import { doors, globals, programs, rooms, sharing, training } from './helpers/rooms'

function roomOf(path: string): string {
  if (path.startsWith('../examples/')) return 'examples'
  const inTraining = /^training\/(\w+)/.exec(path)?.[1]
  if (inTraining !== undefined)
    return Object.keys(training).find(room => training[room]!.includes(inTraining)) ?? `training/${inTraining}`
  const name = path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '')
  return sharing[name] ?? name
}

function breaches(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => [
    ...(rooms[roomOf(file)] === undefined ? [`${file}: no room of this name is in the table`] : []),
    ...importsOf(text).flatMap(name => importBreach(file, name) ?? []),
    ...globalBreaches(file, text),
  ])
}

function importBreach(file: string, imported: string): string | undefined {
  const from = roomOf(file)
  if (imported.startsWith('.')) {
    const to = roomOf(posix.join(posix.dirname(file), imported))
    return to === from || rooms[from]?.includes(to) ? undefined : `${file}: ${from} may not import ${to} (${imported})`
  }
  const door = Object.keys(doors).find(
    name => imported === name || imported.startsWith(`${name}/`) || imported.startsWith(`${name}:`),
  )
  if (door === undefined) return `${file}: ${imported} is not in the table of package doors`
  return doors[door]!.includes(from)
    ? undefined
    : `${file}: ${from} may not import ${imported}; only ${doors[door]!.join(', ')} may`
}

function globalBreaches(file: string, text: string): string[] {
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) used.add(node.getText()).add(node.expression.getText())
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return Object.entries(globals)
    .filter(([name, allowed]) => used.has(name) && !allowed.includes(roomOf(file)))
    .map(([name, allowed]) => `${file}: ${roomOf(file)} may not use ${name}; only ${allowed.join(', ')} may`)
}

/**
 * A room's rank is one more than the highest rank of the rooms that it may import; a room that reaches itself has none.
 */
function rankOf(
  room: string,
  table: Readonly<Record<string, readonly string[]>>,
  path: readonly string[] = [],
): number {
  if (path.includes(room)) throw new Error(`The table has a cycle: ${[...path, room].join(' → ')}`)
  return Math.max(-1, ...(table[room] ?? []).map(to => rankOf(to, table, [...path, room]))) + 1
}

/** The rooms that a room imports, and those that they import in turn. */
function reachable(room: string): ReadonlySet<string> {
  return new Set((rooms[room] ?? []).flatMap(to => [to, ...reachable(to)]))
}

/** What the table allows and no file does. */
function unused(sources: Sources): string[] {
  const used = new Set<string>()
  for (const [file, text] of sources)
    for (const to of filesOf(file, importsOf(text))) used.add(`${roomOf(file)} → ${roomOf(to)}`)
  return Object.entries(rooms).flatMap(([room, may]) =>
    may.map(to => `${room} → ${to}`).filter(edge => !used.has(edge)),
  )
}

const isOfNode = (name: string): boolean => name.startsWith('node:')
describe('the layers of src', () => {
  it('are kept by every file', () => {
    expect(breaches(readSources())).toEqual([])
  })

  it('have no cycle in their table, and programs know nothing of what runs them', () => {
    const ranks = Object.fromEntries(Object.keys(rooms).map(room => [room, rankOf(room, rooms)]))
    expect(Math.max(...Object.values(ranks))).toBe(ranks.cli)
    for (const room of programs)
      expect([...reachable(room)].filter(to => !['ground', ...programs].includes(to))).toEqual([])
    expect(() => rankOf('a', { a: ['b'], b: ['c'], c: ['a'] })).toThrow('a → b → c → a')
  })

  it('allow nothing that no file does', () => {
    expect(unused(readSources())).toEqual([])
  })

  it('stand in docs/architecture.md as they are', () => {
    const page = readFileSync(join(import.meta.dirname, '../docs/architecture.md'), 'utf8')
    const table = page.slice(page.indexOf('| room | may import |')).split('\n\n', 1)[0]!
    const told = table
      .split('\n')
      .slice(2)
      .map(row => row.split('|').map(cell => cell.trim()))
    const expected = Object.entries(rooms).map(([room, may]) => ['', room, may.join(', '), ''])
    expect(told).toEqual(expected)
  })

  it('have no files that import one another', () => {
    expect(circles(readSources())).toEqual([])
  })

  it('let programs, values, callbacks and the loop run without Node', () => {
    const sources = readSources()
    const loop = ['training/TrainingRun.ts']
    const values = 'collators questionAnswering tokenizers metrics callbacks processes'.split(' ')
    const inRooms = [...programs, ...values].map(room => [...sources.keys()].filter(file => roomOf(file) === room))
    for (const files of [loop, ...inRooms]) {
      const needed = [...neededBy(files, sources)]
      expect(Math.min(files.length, needed.length - files.length + 1)).toBeGreaterThan(0)
      const importsNode = (file: string): boolean => runtimeImportsOf(sources.get(file)!).some(isOfNode)
      expect(needed.filter(importsNode), files[0]).toEqual([])
    }
  })

  it('give engines to training by one file', () => {
    const starting = [...readSources()].filter(
      ([file, text]) =>
        file.startsWith('training/') &&
        filesOf(file, runtimeImportsOf(text)).some(to => /^engine\/(Engine|fused\/FusedEngine)\.ts$/.test(to)),
    )
    expect(starting.map(([file]) => file)).toEqual(['training/engines.ts'])
  })

  it('name only packages that package.json depends on', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
      dependencies: object
      peerDependencies: object
    }
    expect(
      Object.keys(doors)
        .filter(name => name !== 'node')
        .toSorted(),
    ).toEqual(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).toSorted())
  })
})

describe('the layers test', () => {
  it('accepts imports that the table has', () => {
    expect(
      breaches(
        new Map([
          ['tensor.ts', "import { TrainerError } from './errors'"],
          [
            'autodiff/backward.ts',
            "import type { Graph } from '../onnx/types'\nimport { gradients } from './gradients'",
          ],
          [
            'engine/library.ts',
            "import koffi from 'koffi'\nimport { join } from 'node:path'\nconst at = process.env.ONNXRUNTIME_LIBRARY",
          ],
          ['arguments/parse.ts', "import { z } from 'zod'\nimport { TrainerError } from '../errors'"],
          ['terminal/bars.ts', "import { MultiBar } from 'cli-progress'\nprocess.stderr.write(String(MultiBar))"],
          [
            'Trainer.ts',
            "import { TrainingRun } from './training/TrainingRun'\nimport { save } from './checkpoint/save'",
          ],
        ]),
      ),
    ).toEqual([])
  })

  it('reports every kind of breach', () => {
    expect(
      breaches(
        new Map([
          [
            'autodiff/backward.ts',
            "import type { Engine } from '../engine/Engine'\nimport { readFileSync } from 'node:fs'",
          ],
          ['cli/main.ts', "export { Trainer } from '../Trainer'"],
          ['training/TrainingRun.ts', "import type { Head } from '../heads/Head'"],
          ['training/misc.ts', ''],
          ['Trainer.ts', "const { backward } = await import('./autodiff/backward')\nconsole.warn(backward)"],
          [
            'data/read.ts',
            "import koffi from 'koffi'\nimport lodash from 'lodash'\nexport const token = process.env.HF_TOKEN",
          ],
          ['utils/misc.ts', ''],
        ]),
      ),
    ).toEqual([
      'autodiff/backward.ts: autodiff may not import engine (../engine/Engine)',
      'autodiff/backward.ts: autodiff may not import node:fs; only files, checkpoint, adapters, hub, install, engine, trackers, report, cli may',
      'cli/main.ts: cli may not import Trainer (../Trainer)',
      'training/TrainingRun.ts: looping may not import heads (../heads/Head)',
      'training/misc.ts: no room of this name is in the table',
      'Trainer.ts: Trainer may not import autodiff (./autodiff/backward)',
      'Trainer.ts: Trainer may not use console; only cli may',
      'data/read.ts: data may not import koffi; only engine may',
      'data/read.ts: lodash is not in the table of package doors',
      'data/read.ts: data may not use process.env; only cli, hub, install, engine, trackers may',
      'utils/misc.ts: no room of this name is in the table',
    ])
  })
})
