// graphs that were made elsewhere, written for the lengths of one batch
import type { GivenInput } from '../feeds/asGiven'
import type { Tensor } from '../tensor'
import type { Trial } from './Model'

/** What a batch gives a graph, by name. */
export type Tensors = Readonly<Record<string, Tensor>>

/** What a graph takes of what there is: labels may be missing. */
export function takenBy({ inputs }: Trial, given: Tensors): readonly GivenInput[] {
  return inputs.filter(({ name }) => given[name] !== undefined)
}

/** What the names of lengths are in a batch. */
export function lengthsOf(inputs: readonly GivenInput[], given: Tensors): ReadonlyMap<string, number> {
  return new Map(
    inputs.flatMap(({ name, shape }) =>
      shape.flatMap((length, axis) =>
        typeof length === 'string' ? [[length, given[name]!.dims[axis]!] as const] : [],
      ),
    ),
  )
}

/** Inputs whose lengths are numbers, as far as they are known. */
export function withLengths(
  inputs: readonly GivenInput[],
  lengths: ReadonlyMap<string, number>,
): readonly GivenInput[] {
  return inputs.map(input => ({
    ...input,
    shape: input.shape.map(length => (typeof length === 'string' ? (lengths.get(length) ?? length) : length)),
  }))
}

/**
 * The shapes of dropout's masks for a batch, by the names of the inputs that they are: where a length is the product of
 * others, say, it has only a name that says nothing.
 */
export function maskShapes(trial: Trial, given: Tensors): ReadonlyMap<string, readonly (number | string)[]> {
  const inputs = takenBy(trial, given)
  const { sites } = trial.write(withLengths(inputs, lengthsOf(inputs, given)), true)
  return new Map(sites.map(({ input, shape }) => [input, shape]))
}
