// patterns of paths, as cards and `dataFiles` have them → files
import { TrainerError } from '../errors'

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
  const steps = stepsOf(plain)
  const asked = specialParts(plain)
  return paths.filter(path => takeAll(steps, path) && specialParts(path) === asked).sort()
}

/** How many names of a path say that nobody looks into them unless asked to. */
function specialParts(path: string): number {
  const names = path.split('/')
  const isSpecial = (name: string, at: number): boolean =>
    /^\.+[^.]/.test(name) || (at < names.length - 1 && name.startsWith('__'))
  return names.filter(isSpecial).length
}

/** A step through a text: a character that it takes, once or as often as there are such. */
interface Step {
  readonly takes: (character: string) => boolean
  readonly repeats?: boolean
  /** How many steps may be left out from here. */
  readonly optional?: number
}

const isAny = (): boolean => true
const isWithinName = (character: string): boolean => character !== '/'
const isSlash = (character: string): boolean => character === '/'

const wildcards: Readonly<Record<string, readonly Step[]>> = {
  '**/': [{ takes: isAny, optional: 3 }, { takes: isAny, repeats: true }, { takes: isSlash }],
  '**': [{ takes: isAny, repeats: true }],
  '*': [{ takes: isWithinName, repeats: true }],
  '?': [{ takes: isWithinName }],
}

function stepsOf(pattern: string): readonly Step[] {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?|\[!?\]?[^\]]*\])/)
  try {
    return parts.flatMap((part, at) => (at % 2 === 0 ? literal(part) : (wildcards[part] ?? [oneOf(part)])))
  } catch (cause) {
    const fix = 'A range such as [a-z] goes upwards.'
    throw new TrainerError('argument', `'${pattern}' is not a pattern of paths.`, { fix, cause })
  }
}

function literal(text: string): Step[] {
  return [...text].map(expected => ({ takes: character => character === expected }))
}

/** `[abc]`, `[a-z]`, `[!abc]`: one character. */
function oneOf(part: string): Step {
  const [, not, characters = ''] = /^\[(!?)(.*)\]$/s.exec(part)!
  const expression = new RegExp(`^[${not === '' ? '' : '^/'}${characters.replace(/[\\\]^]/g, '\\$&')}]$`, 'su')
  return { takes: character => expression.test(character) }
}

/**
 * Whether steps take the whole of a text. All ways are followed at once, so that no pattern of a card takes longer than
 * its length times the text's; a regular expression would try one way after the other.
 */
function takeAll(steps: readonly Step[], text: string): boolean {
  let reached = withoutTaking(steps, [0])
  for (const character of text) {
    const taking = [...reached].filter(at => steps[at]?.takes(character))
    reached = withoutTaking(
      steps,
      taking.map(at => (steps[at]!.repeats ? at : at + 1)),
    )
  }
  return reached.has(steps.length)
}

/** Where one may be without taking another character. */
function withoutTaking(steps: readonly Step[], from: readonly number[]): ReadonlySet<number> {
  const reached = new Set(from)
  // A set goes on with what is added while it is read.
  for (const at of reached) {
    if (steps[at]?.repeats) reached.add(at + 1)
    if (steps[at]?.optional !== undefined) reached.add(at + steps[at].optional)
  }
  return reached
}
