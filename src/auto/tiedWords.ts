// which of two names a tied parameter's values come from
import type { ExpectedTensor, LoadedWeights } from '../checkpoint/pretrained'
import type { TiedPair } from '../models/architecture'
import type { Tensor } from '../tensor'

/** Weights of a folder, each under the name of the parameter that takes it. */
export interface TiedWeights extends Pick<LoadedWeights, 'weights' | 'missing'> {
  /** A table that the file has twice, with different values, though the config ties the two. */
  readonly apart: TiedPair | undefined
}

/** The parameters of a model, and the other names under which a file may hold some of them. */
export function withOtherNames(expected: readonly ExpectedTensor[], ties: readonly TiedPair[]): ExpectedTensor[] {
  const dims = new Map(expected.map(tensor => [tensor.name, tensor.dims]))
  const others = ties.flatMap(({ shared, own }) => [
    ...(dims.has(shared) && !dims.has(own) ? [{ name: own, dims: dims.get(shared)! }] : []),
    ...(dims.has(own) && !dims.has(shared) ? [{ name: shared, dims: dims.get(own)! }] : []),
  ])
  return [...expected, ...others]
}

/**
 * Decides for tied parameters which values count, as transformers 5.24 does: where a file has one of two names, those;
 * where it has both and they are not equal, each keeps its own, and since the head computes with `own`, that counts.
 * A table that the file has twice makes the model untied.
 * @param found what the file has of all names.
 * @param isTied whether the config ties them.
 */
export function tieWords(
  ties: readonly TiedPair[],
  found: Pick<LoadedWeights, 'weights' | 'missing'>,
  isTied: boolean,
): TiedWeights {
  if (!isTied) {
    // a bias that no layer reads is nothing to miss
    const idle = new Set(ties.filter(({ own }) => own.endsWith('.bias')).map(({ shared }) => shared))
    return { ...found, missing: found.missing.filter(name => !idle.has(name)), apart: undefined }
  }
  const weights = new Map(found.weights)
  const missing = new Set(found.missing)
  const apart = ties.find(({ shared, own }) => own.endsWith('.weight') && areDifferent(weights, shared, own))
  for (const { shared, own } of ties) {
    const counts = weights.get(own) ?? weights.get(shared)
    if (counts === undefined) continue // both are missing, and both are said to be
    missing.delete(shared)
    missing.delete(own)
    weights.set(own, counts)
    if (own !== apart?.own) weights.set(shared, counts)
  }
  return { weights, missing: [...missing], apart }
}

/** The warning of a table that a file has twice though its config ties the two. */
export function apartWarning(folder: string, { shared, own }: TiedPair): string {
  return (
    `The config of ${folder} ties '${own}' to '${shared}' ("tie_word_embeddings"), but the file has both, with different ` +
    'values. As in Python each keeps its own: the model is not tied, and what it saves says "tie_word_embeddings": false.'
  )
}

function areDifferent(weights: ReadonlyMap<string, Tensor<'float32'>>, first: string, second: string): boolean {
  const a = weights.get(first)
  const b = weights.get(second)
  return a !== undefined && b !== undefined && a.data.some((value, i) => value !== b.data[i])
}
