import { nearest, TrainerError } from '../errors'
import type { Model } from './Model'

/**
 * Which parameters are meant: by a regular expression that is tested on their names, or by a name, or by the beginning
 * of names up to a dot (`bert.embeddings`).
 */
export type ParameterPattern = RegExp | string

/**
 * The model with some parameters frozen (not trained: they have no gradient, and the optimizer keeps nothing for them),
 * or trained again.
 * @throws TrainerError ('argument') for a pattern that no parameter has.
 */
export function withTrainable<Inputs>(
  model: Model<Inputs>,
  pattern: ParameterPattern,
  trainable: boolean,
): Model<Inputs> {
  const isMeant = matcher(pattern)
  const names = model.parameters.map(({ name }) => name)
  if (!names.some(isMeant)) {
    const shown = typeof pattern === 'string' ? `"${pattern}"` : String(pattern)
    const close = nearest(String(pattern), names)
    throw new TrainerError('argument', `No parameter of ${model.name} is named ${shown}.`, {
      fix: close === undefined ? 'The keys of `parameters` are the names.' : `Did you mean "${close}"?`,
    })
  }
  return { ...model, parameters: model.parameters.map(p => (isMeant(p.name) ? { ...p, trainable } : p)) }
}

/** Whether a name is meant by a pattern. */
export function matcher(pattern: ParameterPattern): (name: string) => boolean {
  if (typeof pattern === 'string') return name => name === pattern || name.startsWith(`${pattern}.`)
  const tested = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')) // these would remember the last match
  return name => tested.test(name)
}
