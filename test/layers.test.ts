import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const programs = ['onnx', 'models', 'losses', 'autodiff', 'optim']
const values = ['data', 'collators', 'tokenizers', 'metrics']
const outside = ['terminal', 'files', 'checkpoint', 'hub', 'callbacks', 'auto']

/** Who may import whom; types count too. A file directly in `src/` is a room of its own. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  files: ['ground'],
  terminal: ['ground'],
  onnx: ['ground'],
  data: ['terminal', 'files', 'ground'],
  metrics: ['ground'],
  collators: ['ground'],
  tokenizers: ['collators', 'data', 'ground'],
  models: ['onnx', 'ground'],
  losses: ['onnx', 'ground'],
  autodiff: ['onnx', 'ground'],
  optim: ['onnx', 'ground'],
  engine: ['onnx', 'ground'],
  checkpoint: ['files', 'ground'],
  install: ['files', 'engine', 'ground'],
  TrainingArguments: ['optim', 'engine', 'ground'],
  programs: [...programs, 'ground'],
  TrainingGraph: [...programs, 'programs', 'ground'],
  callbacks: ['terminal', 'metrics', 'TrainingArguments', 'ground'],
  auto: ['models', 'files', 'checkpoint', 'tokenizers', 'onnx', 'ground'],
  hub: ['auto', 'callbacks', 'files', 'TrainingArguments', 'ground'],
  search: ['TrainingArguments', 'metrics', 'ground'],
  Trainer: [
    ...['onnx', 'models', 'losses', 'optim', 'engine', 'TrainingArguments', 'TrainingGraph', 'search', 'ground'],
    ...values,
    ...outside,
  ],
  index: [
    'Trainer',
    'autodiff',
    'install',
    'TrainingArguments',
    'TrainingGraph',
    'search',
    'ground',
    'engine',
    ...programs,
    ...values,
    ...outside,
  ],
  cli: ['index'],
}

/** Files and folders that share a room under another name. */
const sharing: Readonly<Record<string, string>> = {
  tensor: 'ground',
  random: 'ground',
  errors: 'ground',
  json: 'ground',
  logging: 'ground',
  turns: 'ground',
  arguments: 'TrainingArguments',
  training: 'Trainer',
}

/**
 * Which rooms may import a package (or what begins with its name and a slash or colon); any other package is a breach.
 */
const doors: Readonly<Record<string, readonly string[]>> = {
  koffi: ['engine'],
  'onnxruntime-node': ['engine'],
  pbf: ['onnx'],
  '@huggingface/hub': ['hub'],
  '@huggingface/tokenizers': ['tokenizers'],
  hyparquet: ['data'],
  'hyparquet-compressors': ['data'],
  papaparse: ['data'],
  mathjs: ['metrics'],
  'cli-progress': ['terminal'],
  zod: ['TrainingArguments'],
  yaml: ['TrainingArguments'],
  node: ['files', 'checkpoint', 'install', 'engine', 'cli'],
}

/** Which rooms may use a global that reaches outside. */
const globals: Readonly<Record<string, readonly string[]>> = {
  console: ['cli'],
  'process.env': ['cli', 'install', 'engine'],
  'process.stdout': ['terminal', 'cli'],
  'process.stderr': ['ground', 'terminal', 'cli'], // ground: logging's sink, unless another is set
}

type Sources = ReadonlyMap<string, string>

function roomOf(path: string): string {
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

/** The files that some files need: themselves, those that they import, and what these import in turn. */
function neededBy(files: readonly string[], sources: Sources, known = new Set<string>()): ReadonlySet<string> {
  for (const file of files.filter(name => sources.has(name) && !known.has(name))) {
    known.add(file)
    const imported = importsOf(sources.get(file)!).filter(name => name.startsWith('.'))
    neededBy(
      imported.map(name => `${posix.join(posix.dirname(file), name)}.ts`),
      sources,
      known,
    )
  }
  return known
}

function importsOf(text: string): string[] {
  return ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName)
}

function readSources(): Sources {
  const root = join(import.meta.dirname, '../src')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  return new Map(files.map(file => [file.replaceAll('\\', '/'), readFileSync(join(root, file), 'utf8')]))
}

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

  it('let collators, tokenizers and metrics run without Node', () => {
    const sources = readSources()
    for (const room of ['collators', 'tokenizers', 'metrics']) {
      const files = [...sources.keys()].filter(file => roomOf(file) === room)
      const needed = [...neededBy(files, sources)]
      expect(needed.length).toBeGreaterThan(files.length)
      expect(
        needed.filter(file => importsOf(sources.get(file)!).some(name => name.startsWith('node:'))),
        room,
      ).toEqual([])
    }
  })

  it('name only packages that package.json depends on', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
      dependencies: object
    }
    expect(
      Object.keys(doors)
        .filter(name => name !== 'node')
        .toSorted(),
    ).toEqual(Object.keys(manifest.dependencies).toSorted())
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
            "import { buildTrainingGraph } from './TrainingGraph'\nimport { save } from './checkpoint/save'",
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
      'autodiff/backward.ts: autodiff may not import node:fs; only files, checkpoint, install, engine, cli may',
      'cli/main.ts: cli may not import Trainer (../Trainer)',
      'Trainer.ts: Trainer may not import autodiff (./autodiff/backward)',
      'Trainer.ts: Trainer may not use console; only cli may',
      'data/read.ts: data may not import koffi; only engine may',
      'data/read.ts: lodash is not in the table of package doors',
      'data/read.ts: data may not use process.env; only cli, install, engine may',
      'utils/misc.ts: no room of this name is in the table',
    ])
  })
})
