import { type Batch, Tensor } from '../../src/index'

const tokenColumns: readonly string[] = ['input_ids', 'attention_mask', 'length']

/**
 * Pads rows on the right with zeros, to the longest. A column `label` becomes `labels`; others, one number a row or a
 * list of them, keep their names: int32 where all numbers are whole, else float32.
 */
export function collate(rows: readonly Readonly<Record<string, unknown>>[]): Batch {
  const ids = rows.map(row => [...(row.input_ids as Iterable<number>)])
  const width = Math.max(...ids.map(row => row.length))
  const padded = (of: (id: number | undefined) => number): Tensor =>
    Tensor.from(
      'int32',
      ids.map(row => Array.from({ length: width }, (_, at) => of(row[at]))),
    )
  const others = Object.keys(rows[0]!).filter(name => !tokenColumns.includes(name))
  return {
    input_ids: padded(id => id ?? 0),
    attention_mask: padded(id => (id === undefined ? 0 : 1)),
    ...Object.fromEntries(
      others.map(name => [
        name === 'label' ? 'labels' : name,
        numbers(rows.map(row => row[name] as number | number[])),
      ]),
    ),
  }
}

function numbers(values: readonly (number | readonly number[])[]): Tensor {
  const rows = values.map(value => (typeof value === 'number' ? value : [...value]))
  return Tensor.from(rows.flat().every(Number.isInteger) ? 'int32' : 'float32', rows)
}
