// what parameters that were trained twice are compared by
import type { Tensor } from '../../src/tensor'

/** The gradient of a key's bias is zero by theory: what an optimizer makes of it is rounding. */
export function isNoise(name: string): boolean {
  return /\.(key|k_lin|k_proj)\.bias$/.test(name)
}

/** How far a tensor is from another, Infinity where their shapes differ, and how long that other one is. */
export function distanceOf(
  given: Tensor | undefined,
  expected: Tensor,
): { readonly distance: number; readonly length: number } {
  const [ours, theirs] = [given?.data, expected.data]
  let [distance, length] = [0, 0]
  for (let i = 0; i < theirs.length; i++) {
    distance += (Number(ours?.[i]) - Number(theirs[i])) ** 2
    length += Number(theirs[i]) ** 2
  }
  const isComparable = given?.dims.join() === expected.dims.join()
  return { distance: isComparable ? Math.sqrt(distance) : Infinity, length: Math.sqrt(length) }
}
