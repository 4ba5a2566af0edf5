// the imports of source files
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'

/** The texts of files, by their paths. */
export type Sources = ReadonlyMap<string, string>

/** The files of `src`, by their paths there. */
export function readSources(): Sources {
  const root = join(import.meta.dirname, '../../src')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  return new Map(files.map(file => [file.replaceAll('\\', '/'), readFileSync(join(root, file), 'utf8')]))
}

/** The files that some files need when they run: themselves, what they import but for types, and so on. */
export function neededBy(files: readonly string[], sources: Sources, known = new Set<string>()): ReadonlySet<string> {
  for (const file of files.filter(name => sources.has(name) && !known.has(name))) {
    known.add(file)
    neededBy(filesOf(file, runtimeImportsOf(sources.get(file)!)), sources, known)
  }
  return known
}

/** What a file imports, types included. */
export function importsOf(text: string): string[] {
  return ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName)
}

/** What a file imports when it runs: declarations of types alone are gone by then. */
export function runtimeImportsOf(text: string): string[] {
  const { statements } = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest)
  const types = statements.flatMap(statement =>
    (ts.isImportDeclaration(statement) && isOfTypes(statement)) ||
    (ts.isExportDeclaration(statement) && statement.isTypeOnly)
      ? [(statement.moduleSpecifier as ts.StringLiteral).text]
      : [],
  )
  const all = importsOf(text)
  for (const name of types) all.splice(all.indexOf(name), 1)
  return all
}

function isOfTypes({ importClause: clause }: ts.ImportDeclaration): boolean {
  if (clause === undefined || clause.name !== undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings } = clause
  return (
    namedBindings !== undefined && ts.isNamedImports(namedBindings) && namedBindings.elements.every(e => e.isTypeOnly)
  )
}

/** The files of `src` among what a file imports. */
export function filesOf(file: string, imported: readonly string[]): string[] {
  return imported.filter(name => name.startsWith('.')).map(name => `${posix.join(posix.dirname(file), name)}.ts`)
}

/** Files that import one another, types included: each circle once, from its first file on. */
export function circles(sources: Sources): string[] {
  const found = new Set<string>()
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.add([...path.slice(at), file].join(' → '))
    if (at >= 0 || done.has(file)) return
    for (const to of filesOf(file, importsOf(sources.get(file) ?? ''))) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of sources.keys()) visit(file, [])
  return [...found]
}
