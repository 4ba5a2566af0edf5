// parameters that are saved beside an adapter → the modules that PEFT is told to save
import { isInside, moduleName, type NamedModel } from './moduleNames'

/** What PEFT is not to take a module for. */
export interface Unsaved {
  /** The layers that have A and B. */
  readonly layers: ReadonlySet<string>
  /** Parameters that are there twice: PEFT saves a copy, after which they are two. */
  readonly shared: ReadonlySet<string>
}

/**
 * The modules that these parameters are in directly, where nothing else is in them: by whole names, of which PEFT takes
 * each for that module alone.
 * @param kept parameters that are saved in any case: a module may have them too.
 */
export function wholeModules<Inputs>(
  named: NamedModel<Inputs>,
  parameters: readonly string[],
  { layers, shared, kept }: Unsaved & { readonly kept: ReadonlySet<string> },
): readonly string[] {
  const all = named.model.parameters.map(({ name }) => ({ name, known: moduleName(name, named) }))
  const own = new Set(parameters)
  const isWhole = (module: string): boolean =>
    all
      .filter(({ known }) => isInside(known, module))
      .every(({ name }) => (own.has(name) || kept.has(name)) && !layers.has(moduleOf(name))) &&
    ![...shared].some(name => isInside(name, module))
  const modules = new Set(all.filter(({ name }) => own.has(name)).map(({ known }) => moduleOf(known)))
  return [...modules].filter(isWhole)
}

function moduleOf(parameter: string): string {
  return parameter.slice(0, parameter.lastIndexOf('.'))
}
