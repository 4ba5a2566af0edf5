// what Python's model calls its parts, by which an adapter's options and files go
import type { Model } from '../models/Model'

/** A model with its names. */
export interface NamedModel<Inputs = never> {
  readonly model: Pick<Model<Inputs>, 'name' | 'head' | 'parameters'>
  /** What the encoder's names begin with in a model with a head; Python's model without one has it not. */
  readonly prefix: string
}

/** What Python's model calls a part of a model, or a parameter. */
export function moduleName<Inputs>(name: string, { model, prefix }: NamedModel<Inputs>): string {
  const isBare = model.head.task === 'feature-extraction' && name.startsWith(`${prefix}.`)
  return isBare ? name.slice(prefix.length + 1) : name
}

/** The names of everything that parameters are in. */
export function moduleNames<Inputs>(named: NamedModel<Inputs>): readonly string[] {
  const names = named.model.parameters.flatMap(({ name }) => {
    const parts = moduleName(name, named).split('.')
    return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('.'))
  })
  return [...new Set(names)]
}

/**
 * Whether a parameter is of a module whose name ends so: PEFT's rule for what is saved, which asks for no dot before.
 */
export function isInside(parameter: string, module: string): boolean {
  const parts = parameter.split('.')
  return parts.some((_, i) => i > 0 && parts.slice(0, i).join('.').endsWith(module))
}
