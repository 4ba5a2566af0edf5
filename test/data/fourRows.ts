import { Dataset } from '../../src/data/dataset'

export const rows = [
  { text: 'a', label: 0, ids: [1, 2] },
  { text: 'b', label: 1, ids: [] },
  { text: 'c', label: 1, ids: [70000] },
  { text: 'd', label: 0, ids: [-1, 0.5] },
]
export const dataset = Dataset.fromRows(rows)
