import type { Tensor } from '../tensor'

/** Some of a tensor's numbers, from a place on, whatever their type. */
export function numbersOf({ data }: Tensor, start: number, count: number): Float64Array {
  return Float64Array.from(data.subarray(start, start + count) as ArrayLike<number | bigint>, Number)
}
