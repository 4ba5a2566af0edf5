/** A small ONNX model, encoded by hand: enough for tests of the engine, and independent of our own codec. */
export interface HandmadeNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly name?: string
}

/**
 * A graph input or output: ONNX's element type (1 float, 7 int64, 9 bool …) and dimensions, a text where one may
 * change.
 */
export interface HandmadeValue {
  readonly name: string
  readonly type?: number
  readonly dims?: readonly (number | string)[]
}

/** Weights in an external file: where they lie in it. */
export interface HandmadeWeight {
  readonly name: string
  readonly dims: readonly number[]
  readonly file: string
  readonly length: number
}

export function handmadeModel(
  nodes: readonly HandmadeNode[],
  inputs: readonly HandmadeValue[],
  outputs: readonly HandmadeValue[],
  weights: readonly HandmadeWeight[] = [],
): Uint8Array {
  const graph = [
    ...nodes.flatMap(({ op, inputs: from, outputs: to, name }) =>
      field(1, [
        ...from.flatMap(input => text(1, input)),
        ...to.flatMap(output => text(2, output)),
        ...text(3, name ?? `${op}_${to[0]}`),
        ...text(4, op),
      ]),
    ),
    ...text(2, 'tiny'),
    ...weights.flatMap(({ name, dims, file, length }) =>
      field(5, [
        ...dims.flatMap(dim => number(1, dim)),
        ...number(2, 1),
        ...text(8, name),
        ...field(13, [...text(1, 'location'), ...text(2, file)]),
        ...field(13, [...text(1, 'length'), ...text(2, String(length))]),
        ...number(14, 1),
      ]),
    ),
    ...inputs.flatMap(value => field(11, valueInfo(value))),
    ...outputs.flatMap(value => field(12, valueInfo(value))),
  ]
  return Uint8Array.from([...number(1, 8), ...field(7, graph), ...field(8, number(2, 17))])
}

function valueInfo({ name, type = 1, dims }: HandmadeValue): number[] {
  const shape =
    dims === undefined
      ? []
      : field(
          2,
          dims.flatMap(dim => field(1, typeof dim === 'number' ? number(1, dim) : text(2, dim))),
        )
  return [...text(1, name), ...field(2, field(1, [...number(1, type), ...shape]))]
}

function field(id: number, content: readonly number[]): number[] {
  return [...varint((id << 3) | 2), ...varint(content.length), ...content]
}

function text(id: number, value: string): number[] {
  return field(id, [...new TextEncoder().encode(value)])
}

function number(id: number, value: number): number[] {
  return [...varint(id << 3), ...varint(value)]
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}
