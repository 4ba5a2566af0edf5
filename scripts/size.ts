/**
 * The budgets of the code, printed room by room: a file has at most 300 lines (600 where it is a table or a list of
 * types), a function at most 40, and of all lines at most 0.5 % are wider than 120 columns. Ends with status 1 where
 * one is exceeded.
 *
 * A function's lines run from its first to its last, those of named functions inside it left out: they are counted for
 * themselves. What stands in a test's anonymous callbacks belongs to no function.
 *
 * Run: npm run size
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const limits = { file: 300, table: 600, function: 40, width: 120, wideShare: 0.005 }

/** Whose lines count, and whether its folders are rooms of their own. */
const roots = [
  { name: 'src', rooms: true },
  { name: 'test', rooms: false },
  { name: 'scripts', rooms: false },
  { name: 'examples', rooms: false },
]

/** Files that are mostly a table or types. */
const tables = new Set([
  'src/arguments/table.ts',
  'src/autodiff/gradients.ts',
  'src/lowering/training.ts',
  'src/onnx/builder.ts',
  'src/onnx/infer.ts',
  'src/onnx/operators.ts',
  'test/onnx/operatorCases.ts',
])

/** What may exceed its limit, and why: `file.ts` or `file.ts#function`. */
const exceptions: Readonly<Record<string, string>> = {
  'src/Trainer.ts':
    "the methods of Hugging Face's Trainer are short and many, and a subclass overrides them on one class",
  'src/data/dataset.ts': 'Dataset and DatasetDict give each other, and their methods are those of one another',
}

interface Measured {
  readonly file: string
  readonly room: string
  readonly lines: number
  readonly functions: readonly { readonly name: string; readonly lines: number }[]
  /** The numbers of the lines that are too wide. */
  readonly wide: readonly number[]
}

function measure(file: string, room: string): Measured {
  const text = readFileSync(join(top, file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const lines = text.split('\n')
  return {
    file,
    room,
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
    ts.forEachChild(node, child => {
      inside += visit(child)
    })
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
  const isNamed =
    ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)
  return isNamed ? parent.name.getText() : undefined
}

function breachesOf({ file, lines, functions }: Measured): string[] {
  const limit = tables.has(file) ? limits.table : limits.file
  return [
    ...(lines > limit && exceptions[file] === undefined ? [`${file} has ${lines} lines; ${limit} are allowed`] : []),
    ...functions
      .filter(f => f.lines > limits.function && exceptions[`${file}#${f.name}`] === undefined)
      .map(f => `${file}: ${f.name} has ${f.lines} lines; ${limits.function} are allowed`),
  ]
}

function printRooms(measured: readonly Measured[]): void {
  const longest = <T extends { lines: number }>(items: readonly T[]): T | undefined =>
    items.toSorted((a, b) => b.lines - a.lines)[0]
  const rows = [...new Set(measured.map(m => m.room))].map(room => {
    const files = measured.filter(m => m.room === room)
    const file = longest(files)
    const longestFunction = longest(files.flatMap(m => m.functions))
    return {
      room,
      files: files.length,
      lines: total(files, m => m.lines),
      wide: total(files, m => m.wide.length),
      'longest file': file && `${file.lines} ${file.file.slice(file.file.lastIndexOf('/') + 1)}`,
      'longest function': longestFunction && `${longestFunction.lines} ${longestFunction.name}`,
    }
  })
  console.table(Object.fromEntries(rows.map(({ room, ...row }) => [room, row])))
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0)
}

const top = join(import.meta.dirname, '..')
const measured = roots.flatMap(({ name, rooms }) =>
  readdirSync(join(top, name), { recursive: true, encoding: 'utf8' })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file.endsWith('.ts'))
    .toSorted()
    .map(file => measure(`${name}/${file}`, rooms && file.includes('/') ? file.slice(0, file.indexOf('/')) : name)),
)
const lines = total(measured, m => m.lines)
const wide = total(measured, m => m.wide.length)
const share = `${((100 * wide) / lines).toFixed(2)} %`
const breaches = measured.flatMap(breachesOf)
if (wide > limits.wideShare * lines) {
  for (const { file, wide: at } of measured) for (const line of at) console.log(`${file}:${line} is too wide`)
  breaches.push(`${share} of the lines are wider than ${limits.width} columns; ${100 * limits.wideShare} % are allowed`)
}

printRooms(measured)
for (const breach of breaches) console.log(breach)
console.log(
  `${lines} lines in ${measured.length} files, ${wide} (${share}) wider than ${limits.width} columns; ` +
    `${breaches.length} over budget`,
)
process.exitCode = breaches.length === 0 ? 0 : 1
