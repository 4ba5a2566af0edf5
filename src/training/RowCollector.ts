import { TrainerError } from '../errors'
import { filler } from '../heads/tokenLabels'
import { createData, type DataType, sizeOf, Tensor } from '../tensor'

/** What a head predicts, or its labels: one tensor, or one for each of several outputs, in order or by name. */
export type Predicted = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>

/**
 * Puts rows that come in batches, in any order, back into the order of the dataset. Where a further axis differs
 * between batches, shorter ones are padded on the right with -100, as Hugging Face does.
 */
export class RowCollector {
  readonly #parts: { tensor: Tensor; rows: readonly number[] }[] = []

  /** Takes a batch's tensor [rows, …] and the places of its rows in the dataset. */
  add(tensor: Tensor, rows: readonly number[]): void {
    if (tensor.dims[0] !== rows.length)
      throw new TrainerError(
        'data',
        `The batch of rows ${rows[0]} to ${rows.at(-1)} gave a result of shape [${tensor.dims.join(', ')}], where ${rows.length} rows were expected.`,
        { fix: 'Let the data collator return as many rows as it is given.' },
      )
    this.#parts.push({ tensor, rows })
  }

  /** All rows as one tensor; undefined when there were none. */
  finish(): Tensor | undefined {
    const first = this.#parts[0]
    if (first === undefined) return undefined
    const count = this.#parts.reduce((sum, part) => sum + part.rows.length, 0)
    const inner = first.tensor.dims
      .slice(1)
      .map((_, axis) => Math.max(...this.#parts.map(part => part.tensor.dims[axis + 1]!)))
    const dtype = commonType(this.#parts.map(part => part.tensor.dtype))
    const data = createData(dtype, count * sizeOf(inner))
    const ragged = this.#parts.some(part => part.tensor.dims.some((d, axis) => axis > 0 && d !== inner[axis - 1]))
    if (ragged) data.fill((data instanceof BigInt64Array ? BigInt(filler) : filler) as never)
    for (const { tensor, rows } of this.#parts) {
      const source =
        tensor.dtype === dtype
          ? tensor
          : new Tensor('float32', Float32Array.from(tensor.data as Float32Array, Number), tensor.dims)
      rows.forEach((row, i) => placeRow(source, i, data, row, inner))
    }
    return new Tensor(dtype, data as never, [count, ...inner])
  }
}

/**
 * What holds the numbers of all batches: whole numbers in one batch do not say that there are no fractions in the next.
 */
function commonType(types: readonly DataType[]): DataType {
  return types.every(type => type === types[0]) ? types[0]! : 'float32'
}

/** Puts the rows of what a head predicts back into order: of one tensor, or of several. */
export class PredictedCollector {
  readonly #collectors = new Map<string, RowCollector>()
  #kind: 'one' | 'several' | 'named' = 'one'

  /** Takes a batch's tensors [rows, …] and the places of its rows in the dataset. */
  add(predicted: Predicted, rows: readonly number[]): void {
    this.#kind = predicted instanceof Tensor ? 'one' : Array.isArray(predicted) ? 'several' : 'named'
    for (const [name, tensor] of Object.entries(predicted instanceof Tensor ? [predicted] : predicted)) {
      const collector = this.#collectors.get(name) ?? new RowCollector()
      this.#collectors.set(name, collector)
      collector.add(tensor as Tensor, rows)
    }
  }

  /** All rows; undefined when there were none. */
  finish(): Predicted | undefined {
    if (this.#collectors.size === 0) return undefined
    const whole = [...this.#collectors].map(([name, collector]) => [name, collector.finish()!] as const)
    if (this.#kind === 'named') return Object.fromEntries(whole)
    const tensors = whole.map(([, tensor]) => tensor)
    return this.#kind === 'one' ? tensors[0] : tensors
  }
}

/** Copies row `from` of a tensor to row `to` of [.., ...inner], whose axes are at least as long. */
function placeRow(tensor: Tensor, from: number, target: Tensor['data'], to: number, inner: readonly number[]): void {
  const dims = tensor.dims.slice(1)
  const copy = (source: number, at: number, axis: number): void => {
    if (axis >= dims.length - 1) {
      target.set(tensor.data.subarray(source, source + (dims[axis] ?? 1)) as never, at)
      return
    }
    const step = sizeOf(dims.slice(axis + 1))
    const targetStep = sizeOf(inner.slice(axis + 1))
    for (let i = 0; i < dims[axis]!; i++) copy(source + i * step, at + i * targetStep, axis + 1)
  }
  copy(from * sizeOf(dims), to * sizeOf(inner), 0)
}
