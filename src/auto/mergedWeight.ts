import { Tensor } from '../tensor'

/** W + scale · B A: W [out, in], A [rank, in], B [out, rank]; summed in double precision. */
export function mergedWeight(
  weight: Tensor<'float32'>,
  a: Tensor<'float32'>,
  b: Tensor<'float32'>,
  scale: number,
): Tensor<'float32'> {
  const [outputs, inputs] = weight.dims as [number, number]
  const rank = a.dims[0]!
  const merged = weight.data.slice()
  const row = new Float64Array(inputs)
  for (let out = 0; out < outputs; out++) {
    row.fill(0)
    for (let r = 0; r < rank; r++) {
      const factor = scale * b.data[out * rank + r]!
      const from = r * inputs
      for (let i = 0; i < inputs; i++) row[i]! += factor * a.data[from + i]!
    }
    for (let i = 0; i < inputs; i++) merged[out * inputs + i]! += row[i]!
  }
  return new Tensor('float32', merged, weight.dims)
}
