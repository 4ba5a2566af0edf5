// patterns of paths, as cards and `dataFiles` have them → files
import type { FileBelow } from '../files/tree'
import { literalPattern } from '../literalPattern'

/** Whether a name has a wildcard of Python's `glob`. */
export function isPattern(name: string): boolean {
  return /[*?[]/.test(name)
}

/**
 * The files that a pattern names, in alphabetical order: `*` stands for anything within a name, `**` for folders too.
 * @param pattern a path relative to the folder whose files these are.
 */
export function matchingFiles(pattern: string, files: readonly FileBelow[]): readonly FileBelow[] {
  const expression = patternExpression(pattern.replace(/^(\.\/)+/, ''))
  const relative = ({ folders, name }: FileBelow): string => [...folders, name].join('/')
  const matching = files.filter(file => expression.test(relative(file)))
  return matching.toSorted((a, b) => (relative(a) < relative(b) ? -1 : 1))
}

function patternExpression(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?|\[[^\]]+\])/)
  const expressions: Readonly<Record<string, string>> = {
    '**/': '(?:[^/]+/)*',
    '**': '.*',
    '*': '[^/]*',
    '?': '[^/]',
  }
  const written = parts.map((part, at) => {
    if (at % 2 === 0) return literalPattern(part)
    return expressions[part] ?? part.replace(/^\[!/, '[^/').replaceAll('\\', '\\\\')
  })
  return new RegExp(`^${written.join('')}$`)
}
