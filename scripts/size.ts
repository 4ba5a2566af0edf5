/**
 * The budgets of `src`, printed room by room: a file has at most 300 lines (600 where it is a table or a list of types), a function at most
 * 40, all of `src` at most the number below, which only a human raises. Ends with status 1 where one is exceeded.
 *
 * A function's lines run from its first to its last, those of named functions inside it left out: they are counted for themselves.
 *
 * Run: npm run size
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const limits = { file: 300, table: 600, function: 40, width: 170, source: 22_000 }

/** Files that are mostly a table or types. */
const tables = new Set(['arguments/table.ts', 'autodiff/gradients.ts', 'onnx/infer.ts', 'onnx/operators.ts'])

/** What may exceed its limit, and why: `file.ts` or `file.ts#function`. */
const exceptions: Readonly<Record<string, string>> = {}

interface Measured {
  readonly file: string
  readonly room: string
  readonly lines: number
  readonly functions: readonly { readonly name: string; readonly lines: number }[]
  readonly wide: readonly number[]
}

function measure(root: string, file: string): Measured {
  const text = readFileSync(join(root, file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const lines = text.split('\n')
  return {
    file,
    room: file.includes('/') ? file.slice(0, file.indexOf('/')) : '·',
    lines: lines.length - 1,
    functions: functionsOf(source),
    wide: lines.flatMap((line, at) => (line.length > limits.width ? [at + 1] : [])),
  }
}

function functionsOf(source: ts.SourceFile): { name: string; lines: number }[] {
  const found: { name: string; lines: number }[] = []
  const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  // Answers the lines that the named functions at or below the node take.
  const visit = (node: ts.Node): number => {
    let inside = 0
    ts.forEachChild(node, child => { inside += visit(child) })
    const name = nameOf(node)
    if (name === undefined) return inside
    const lines = line(node.getEnd()) - line(node.getStart()) + 1
    found.push({ name, lines: lines - inside })
    return lines
  }
  visit(source)
  return found
}

function nameOf(node: ts.Node): string | undefined {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return undefined
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (node.name !== undefined) return node.name.getText()
  const { parent } = node
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) ? parent.name.getText() : undefined
}

function breachesOf({ file, lines, functions, wide }: Measured): string[] {
  const limit = tables.has(file) ? limits.table : limits.file
  return [
    ...(lines > limit && exceptions[file] === undefined ? [`${file} has ${lines} lines; ${limit} are allowed`] : []),
    ...functions.filter(f => f.lines > limits.function && exceptions[`${file}#${f.name}`] === undefined)
      .map(f => `${file}: ${f.name} has ${f.lines} lines; ${limits.function} are allowed`),
    ...wide.map(at => `${file}:${at} is wider than ${limits.width} columns`),
  ]
}

function printRooms(measured: readonly Measured[]): void {
  const longest = <T extends { lines: number }>(items: readonly T[]): T | undefined => items.toSorted((a, b) => b.lines - a.lines)[0]
  const rows = [...new Set(measured.map(m => m.room))].map(room => {
    const files = measured.filter(m => m.room === room)
    const [file, fn] = [longest(files), longest(files.flatMap(m => m.functions))]
    return {
      room, files: files.length, lines: files.reduce((sum, m) => sum + m.lines, 0),
      'longest file': file && `${file.lines} ${file.file.slice(file.file.indexOf('/') + 1)}`,
      'longest function': fn && `${fn.lines} ${fn.name}`,
    }
  })
  console.table(Object.fromEntries(rows.map(({ room, ...row }) => [room, row])))
}

const root = join(import.meta.dirname, '../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(file => file.replaceAll('\\', '/')).filter(file => file.endsWith('.ts'))
const measured = files.toSorted().map(file => measure(root, file))
const total = measured.reduce((sum, m) => sum + m.lines, 0)
const breaches = [...measured.flatMap(breachesOf), ...(total > limits.source ? [`src has ${total} lines; ${limits.source} are allowed`] : [])]

printRooms(measured)
for (const breach of breaches) console.log(breach)
console.log(`${total} of ${limits.source} lines in ${measured.length} files; ${breaches.length} over budget`)
process.exitCode = breaches.length === 0 ? 0 : 1
