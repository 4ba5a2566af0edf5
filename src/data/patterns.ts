// patterns of paths, as cards and `dataFiles` have them → files
import { TrainerError } from '../errors'
import { literalPattern } from '../literalPattern'

/** Whether a name has a wildcard of Python's `glob`. */
export function isPattern(name: string): boolean {
  return /[*?[]/.test(name)
}

/**
 * The paths that a pattern names, sorted as texts: `*` stands for anything within a name, `**` for folders too. What is
 * hidden, or in a folder such as `__pycache__`, has to be so in the pattern as well.
 * @param pattern relative to the folder that the paths are in.
 * @param paths with slashes.
 * @throws TrainerError (`argument`) for a pattern that is none.
 */
export function matchingPaths(pattern: string, paths: readonly string[]): string[] {
  const plain = pattern.replace(/^(?:\.\/+)+/, '')
  const expression = patternExpression(plain)
  const asked = specialParts(plain)
  return paths.filter(path => expression.test(path) && specialParts(path) === asked).sort()
}

/** How many names of a path say that nobody looks into them unless asked to. */
function specialParts(path: string): number {
  const names = path.split('/')
  const isSpecial = (name: string, at: number): boolean =>
    /^\.+[^.]/.test(name) || (at < names.length - 1 && name.startsWith('__'))
  return names.filter(isSpecial).length
}

function patternExpression(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?|\[!?\]?[^\]]*\])/)
  const expressions: Readonly<Record<string, string>> = {
    '**/': '(?:.+/)?',
    '**': '.*',
    '*': '[^/]*',
    '?': '[^/]',
  }
  const written = parts.map((part, at) => (at % 2 === 0 ? literalPattern(part) : (expressions[part] ?? oneOf(part))))
  try {
    return new RegExp(`^${written.join('')}$`, 's')
  } catch (cause) {
    const fix = 'A range such as [a-z] goes upwards.'
    throw new TrainerError('argument', `'${pattern}' is not a pattern of paths.`, { fix, cause })
  }
}

/** `[abc]`, `[a-z]`, `[!abc]`: one character. */
function oneOf(part: string): string {
  const [, not, characters = ''] = /^\[(!?)(.*)\]$/s.exec(part)!
  return `[${not === '' ? '' : '^/'}${characters.replace(/[\\\]^]/g, '\\$&')}]`
}
