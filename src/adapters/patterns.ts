// regular expressions that come in files, in Python's spelling: matched as Python matches them, and never for long
import { runInNewContext } from 'node:vm'

import { TrainerError } from '../errors'

/** A regular expression is given up after this many milliseconds: some never end. */
const timeLimit = 1000

/** The names that a pattern matches from their beginning to their end. */
export function fullMatches(pattern: string | RegExp, names: readonly string[], field: string): ReadonlySet<string> {
  const { source, flags } = typeof pattern === 'string' ? fromPython(pattern) : pattern
  const shown = String(pattern)
  return new Set(matches(`^(?:${source})$`, flags.replace(/[gym]/g, ''), { names, field, shown }).keys())
}

/**
 * The names that end in what a pattern matches, after a dot or from their beginning: PEFT's rule for patterns of
 * ranks.
 */
export function endMatches(pattern: string, names: readonly string[], field: string): ReadonlySet<string> {
  const { source, flags } = fromPython(pattern)
  return new Set(matches(`^(?:.*\\.)?(?:${source})$`, flags, { names, field, shown: pattern }).keys())
}

/**
 * The first number between dots in each name, behind what a pattern matches: PEFT's rule for layers.
 * @param pattern by default any part that is not the name's first.
 */
export function layerNumbers(
  pattern: string | undefined,
  names: readonly string[],
  field: string,
): ReadonlyMap<string, number> {
  const { source, flags } = fromPython(pattern ?? '')
  const before = pattern === undefined ? '.*?\\.[^.]*' : `(?:.*?\\.)?(?:${source})`
  const found = matches(`^${before}\\.(?<number>\\d+)\\.`, flags, { names, field, shown: String(pattern) })
  return new Map([...found].map(([name, number]) => [name, Number(number)]))
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

/** The names that a regular expression matches, each with what its group `number` has found; '' where it has none. */
function matches(
  source: string,
  flags: string,
  { names, field, shown }: { readonly names: readonly string[]; readonly field: string; readonly shown: string },
): ReadonlyMap<string, string> {
  try {
    const found = runInNewContext(
      `const pattern = new RegExp(source, flags)
       const found = JSON.parse(names).map(name => [name, pattern.exec(name)]).filter(([, match]) => match !== null)
       JSON.stringify(found.map(([name, match]) => [name, match.groups?.number ?? '']))`,
      { source, flags, names: JSON.stringify(names) },
      { timeout: timeLimit },
    ) as string
    return new Map(JSON.parse(found) as [string, string][])
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
