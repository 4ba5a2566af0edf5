// regular expressions that come in files, in Python's spelling: matched as Python matches them, and never for long
import { runInNewContext } from 'node:vm'

import { TrainerError } from '../errors'

/** A regular expression is given up after this many milliseconds: some never end. */
const timeLimit = 1000

/** The names that a pattern matches from their beginning to their end. */
export function fullMatches(pattern: string | RegExp, names: readonly string[], field: string): ReadonlySet<string> {
  const { source, flags } = typeof pattern === 'string' ? fromPython(pattern) : pattern
  return matching(`^(?:${source})$`, flags.replace(/[gym]/g, ''), { names, field, shown: String(pattern) })
}

/** The names that end in what a pattern matches, after a dot or from their beginning: PEFT's rule for patterns of ranks. */
export function endMatches(pattern: string, names: readonly string[], field: string): ReadonlySet<string> {
  const { source, flags } = fromPython(pattern)
  return matching(`^(?:.*\\.)?(?:${source})$`, flags, { names, field, shown: pattern })
}

/** A regular expression in Python's spelling. */
export function toPython({ source, flags }: RegExp): string {
  return `${flags.includes('i') ? '(?i)' : ''}${source.replace(/\(\?<(?![=!])/g, '(?P<')}`
}

function fromPython(pattern: string): { source: string; flags: string } {
  const [, inline = '', rest = ''] = /^(?:\(\?([is]+)\))?(.*)$/s.exec(pattern)!
  const source = rest
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\\A/g, '^')
    .replace(/\\Z/g, '$')
  return { source, flags: inline }
}

function matching(
  source: string,
  flags: string,
  { names, field, shown }: { readonly names: readonly string[]; readonly field: string; readonly shown: string },
): ReadonlySet<string> {
  try {
    const found = runInNewContext(
      'const pattern = new RegExp(source, flags); JSON.stringify(JSON.parse(names).filter(name => pattern.test(name)))',
      { source, flags, names: JSON.stringify(names) },
      { timeout: timeLimit },
    ) as string
    return new Set(JSON.parse(found) as string[])
  } catch (cause) {
    const problem = (cause as Error).message.includes('timed out')
      ? `takes more than ${timeLimit} ms to match the names of the model`
      : `is not a regular expression that JavaScript has: ${(cause as Error).message}`
    throw new TrainerError('argument', `${field}: '${shown}' ${problem}.`, {
      fix: 'Give a list of names, or of their ends.',
      cause,
    })
  }
}
