import { fresh, ever, type RowSet } from '../engine/fused/rows'
import type { ProcessGroup } from '../processes/ProcessGroup'

/**
 * Makes the rows of a table's gradient those of all processes together: the union of the rows that any of them has
 * read, and no others, crosses between them.
 */
export async function reduceRows(group: ProcessGroup, gradient: Float32Array, set: RowSet): Promise<void> {
  const read = Float32Array.from(set.flags, flags => flags & fresh)
  await group.allReduce([read])
  const rows = Array.from(read.keys()).filter(row => read[row] !== 0)
  const { width } = set
  const values = new Float32Array(rows.length * width)
  rows.forEach((row, i) => values.set(gradient.subarray(row * width, (row + 1) * width), i * width))
  await group.allReduce([values])
  rows.forEach((row, i) => {
    gradient.set(values.subarray(i * width, (i + 1) * width), row * width)
    set.flags[row]! |= fresh | ever
  })
}
