import { nearest, quoted, TrainerError } from '../errors'
import type { Model } from './Model'

/**
 * Which parameters are meant: by a regular expression that is tested on their names, or by a name, or by the beginning
 * of names up to a dot (`bert.embeddings`).
 */
export type ParameterPattern = RegExp | string

/** One pattern or several. */
export type ParameterPatterns = ParameterPattern | readonly ParameterPattern[]

/**
 * The model with some parameters frozen (not trained: they have no gradient, and the optimizer keeps nothing for them),
 * or trained again. Statistics are none of them: no optimizer ever changes one.
 * @throws TrainerError ('argument') for a pattern that no parameter has.
 */
export function withTrainable<Inputs>(
  model: Model<Inputs>,
  patterns: ParameterPatterns,
  trainable: boolean,
): Model<Inputs> {
  const meant = namesMeant(
    patterns,
    model.parameters.filter(({ isStatistic = false }) => !isStatistic).map(({ name }) => name),
    model.name,
  )
  return { ...model, parameters: model.parameters.map(p => (meant.has(p.name) ? { ...p, trainable } : p)) }
}

/**
 * The names of parameters that patterns mean.
 * @param owner what the parameters are those of, for errors.
 * @throws TrainerError ('argument') for what is not a pattern, and for a pattern that no name has.
 */
export function namesMeant(patterns: ParameterPatterns, names: readonly string[], owner: string): ReadonlySet<string> {
  const list = Array.isArray(patterns) ? (patterns as readonly ParameterPattern[]) : [patterns as ParameterPattern]
  if (list.length === 0)
    throw new TrainerError('argument', `An empty list means no parameter of ${owner}.`, {
      fix: 'Give names, beginnings of names up to a dot, or regular expressions, or leave the call out.',
    })
  return new Set(
    list.flatMap(pattern => {
      const meant = names.filter(matcher(pattern))
      if (meant.length === 0) throw noSuchParameter(pattern, names, owner)
      return meant
    }),
  )
}

function matcher(pattern: ParameterPattern): (name: string) => boolean {
  if (typeof pattern === 'string') return name => name === pattern || name.startsWith(`${pattern}.`)
  if (!(pattern instanceof RegExp)) {
    throw new TrainerError('argument', `${String(pattern)} does not say which parameters are meant.`, {
      fix: 'Give a regular expression, a name, or the beginning of names up to a dot, or a list of these.',
    })
  }
  const tested = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')) // these would remember the last match
  return name => tested.test(name)
}

function noSuchParameter(pattern: ParameterPattern, names: readonly string[], owner: string): TrainerError {
  const examples = `Names are, for example, ${quoted(names.slice(0, 3))}.`
  if (typeof pattern !== 'string')
    return new TrainerError('argument', `No parameter of ${owner} matches ${String(pattern)}.`, { fix: examples })
  const beginnings = names.flatMap(name => [name, ...name.split('.').map((_, i, parts) => parts.slice(0, i).join('.'))])
  const close = nearest(pattern, new Set(beginnings.filter(beginning => beginning !== '')))
  const fix = pattern.includes('*')
    ? 'A text is a name, or the beginning of names up to a dot. For a pattern give a regular expression.'
    : close === undefined
      ? examples
      : `Did you mean "${close}"?`
  const problem = `No parameter of ${owner} is named "${pattern}", and no name begins with "${pattern}.".`
  return new TrainerError('argument', problem, { fix })
}
