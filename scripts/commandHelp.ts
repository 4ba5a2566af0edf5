/**
 * Writes what `--help` of each command says into the blocks of docs/cli.md that begin with its usage. Of `train` and
 * `glue` only their own flags: docs/arguments.md has the training arguments.
 *
 * Run: npx tsx scripts/commandHelp.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runCommand } from '../src/cli/commands'

/** The page. */
export const commandsPage = join(import.meta.dirname, '../docs/cli.md')

/** What a command prints on standard output. */
export async function printedBy(...words: string[]): Promise<string> {
  const lines: string[] = []
  await runCommand(words, { out: text => lines.push(text), error: () => {} })
  return lines.join('\n')
}

/** The names of the commands. */
export async function commandNames(): Promise<string[]> {
  return [...(await printedBy('help')).matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name!)
}

/** The help of a command, without the training arguments. */
export async function ownHelp(name: string): Promise<string> {
  return (await printedBy(name, '--help')).replace(/\n\n {2}--output_dir [^]*$/, '')
}

/** A block of the page: the help of the command that its first line names. */
export const helpBlock = /^```text\n(Usage: (?:npx )?ts-trainer (\w+)\b[^]*?)\n```$/gm

/** The page with the help of each command as it is. */
export async function withHelp(page: string): Promise<string> {
  const names = await commandNames()
  const helps = new Map<string, string>()
  for (const [, , name] of page.matchAll(helpBlock)) if (names.includes(name!)) helps.set(name!, await ownHelp(name!))
  return page.replace(helpBlock, (block, _help, name: string) =>
    helps.has(name) ? `\`\`\`text\n${helps.get(name)}\n\`\`\`` : block,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(commandsPage, await withHelp(readFileSync(commandsPage, 'utf8')))
