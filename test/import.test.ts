// importing the package does nothing else: `sideEffects` of package.json says so to bundlers
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { readSources } from './helpers/imports'

const root = join(import.meta.dirname, '..')

/** What a program could see of an import, before and after it. */
const program = `
  const seen = () => ({
    // zod keeps its own settings there, for all of its copies
    globals: Object.getOwnPropertyNames(globalThis).filter(name => !name.startsWith('__zod_')).sort(),
    environment: { ...process.env },
    listeners: process.eventNames().map(name => [String(name), process.listenerCount(name)]),
    folder: process.cwd(),
    exitCode: process.exitCode,
    prototypes: [Array, Map, Promise, Float32Array].map(type => Object.getOwnPropertyNames(type.prototype).length),
  })
  const before = seen()
  const { Trainer } = await import(${JSON.stringify(join(root, 'src/index.ts'))})
  const after = seen()
  console.log(JSON.stringify({ before, after, imported: typeof Trainer }))
`

it('importing the package changes nothing, prints nothing, and leaves nothing running', () => {
  const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    encoding: 'utf8',
    cwd: root,
    timeout: 60_000, // something that is left running would keep the process
  })
  const lines = printed.trim().split('\n')
  expect(lines).toHaveLength(1)
  const { before, after, imported } = JSON.parse(lines[0]!) as Record<'before' | 'after' | 'imported', unknown>
  expect(imported).toBe('function')
  expect(after).toEqual(before)
})

it('no file but the command line program runs statements when it is imported', () => {
  const running = [...readSources()].flatMap(([file, text]) => {
    const { statements } = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
    return statements
      .filter(statement => !isDeclaration(statement))
      .map(statement => `${file}: ${ts.SyntaxKind[statement.kind]}`)
  })
  expect(running).toEqual(['cli/main.ts: ExpressionStatement'])
})

function isDeclaration(statement: ts.Statement): boolean {
  return (
    ts.isImportDeclaration(statement) ||
    ts.isExportDeclaration(statement) ||
    ts.isVariableStatement(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  )
}
