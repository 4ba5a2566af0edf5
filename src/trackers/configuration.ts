import type { TrackedRun } from './Tracker'

/** The configuration of a run: the model's, the arguments over it and the model's size, as transformers has it. */
export function configurationOf({ modelConfig, args, parameterCount }: TrackedRun): Record<string, unknown> {
  const all = { ...modelConfig, ...args, 'model/num_parameters': parameterCount }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
