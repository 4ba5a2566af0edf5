// the TypeScript of a document, compiled as the repository is and run in a folder of its own
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, vi } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** The blocks of TypeScript in a text of Markdown, joined: each goes on where the one before ended. */
export function programOf(markdown: string): string {
  return [...markdown.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block]) => block!).join('\n')
}

/** A folder that is gone when the test file has ended: inside the repository, so that packages are found from there. */
export function programFolder(name: string): string {
  mkdirSync(join(root, 'out'), { recursive: true }) // which is not tracked
  const folder = mkdtempSync(join(root, `out/${name}-`))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What the compiler says of the files, each message behind the text that it is about. */
export function problemsOf(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  // an example may leave a result unused
  const checked = ts.createProgram(files, {
    ...options,
    noUnusedLocals: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  })
  return files.flatMap(file => {
    const source = checked.getSourceFile(file)!
    const problems = [...checked.getSyntacticDiagnostics(source), ...checked.getSemanticDiagnostics(source)]
    const text = readFileSync(file, 'utf8')
    return problems.map(
      ({ messageText, start }) =>
        `${text.slice(start, start! + 40)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
  })
}

/** Runs a program in a folder, and gives what it printed by console.log, call by call. */
export async function printedBy(file: string, folder: string): Promise<unknown[][]> {
  const before = process.cwd()
  const printed: unknown[][] = []
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(values)),
    vi.spyOn(process.stderr, 'write').mockReturnValue(true),
  ]
  process.chdir(folder)
  try {
    await import(/* @vite-ignore */ file)
  } finally {
    process.chdir(before)
    for (const spy of spies) spy.mockRestore()
  }
  return printed
}
