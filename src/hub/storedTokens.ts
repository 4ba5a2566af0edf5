// the file of tokens by their names that Python's `hf auth list` and `hf auth switch` read
import { dirname, join } from 'node:path'

import { readText } from '../files/readFile'
import type { HubEnvironment } from './environment'
import { writeSecret } from './secretFile'

/** Where the file is: beside the one of the token that counts. */
export function storedTokensPath({ tokenPath }: HubEnvironment): string {
  return join(dirname(tokenPath), 'stored_tokens')
}

/** Adds a token to the file, or replaces the one of its name. What others have in it stays. */
export async function storeToken(environment: HubEnvironment, name: string, token: string): Promise<void> {
  const path = storedTokensPath(environment)
  const sections = sectionsOf((await readText(path)) ?? '')
  const title = sectionTitle(name)
  sections.set(title, [`hf_token = ${token}`])
  const sorted = [...sections].sort(([a], [b]) => (a < b ? -1 : 1))
  await writeSecret(path, sorted.map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n\n`).join(''))
}

/** The sections of an ini file as Python's configparser finds them, each with its lines as they are. */
function sectionsOf(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>()
  let lines: string[] | undefined
  for (const line of text.split(/\r?\n/)) {
    const title = /^\[(.+)\]/.exec(line)?.[1]
    if (title !== undefined) sections.set(title, (lines = []))
    else if (line.trim() !== '') lines?.push(line) // what stands before the first section is none of Python's
  }
  return sections
}

/** A name that the Hub has given, as the title of a section: on one line, and not the one that means all sections. */
function sectionTitle(name: string): string {
  const title = name.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
  return title === '' || title === 'DEFAULT' ? `token ${title}`.trim() : title
}
