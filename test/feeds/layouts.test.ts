import { describe } from 'vitest'
import { asGiven } from '../../src/feeds/asGiven'
import { Tensor } from '../../src/tensor'
import { feedCases } from './feed.case'
import { geometry } from './geometry'
import { layouts } from './layouts'
import { tokenBatches, tokenCases } from './tokens.case'

describe.each(layouts)('%s', (_, layout) => {
  feedCases({
    layout: layout(geometry, { rows: 8, fewShapes: false }, 'real'),
    batches: tokenBatches,
    refused: {
      batch: {
        input_ids: Tensor.from('int32', [
          [1, 2],
          [3, 23],
        ]),
      },
      message: /The token id 23 in row 101 of the dataset, column 1, is unknown: the model knows only 0 to 22\./,
    },
  })
  tokenCases(layout)
})

describe('the layout of a graph that was made elsewhere', () => {
  const fractions = Tensor.from('float32', [
    [0.5, 1, 2],
    [3, 4, 5],
  ])
  feedCases({
    layout: asGiven([
      { name: 'x', dtype: 'float32', shape: ['n', 3] },
      { name: 'kind', dtype: 'int64', shape: ['n'] },
    ]),
    batches: {
      'columns of the same types': { x: fractions, kind: Tensor.from('int64', [1, 2]) },
      'columns of other types': { x: Tensor.from('int32', [[1, 2, 3]]), kind: Tensor.from('float32', [7]) },
    },
    refused: {
      batch: { x: fractions, kind: Tensor.from('float32', [1, 2.5]) },
      message: /"kind" of row 101 of the dataset is 2\.5, but the graph takes whole numbers \(int64\)\./,
    },
  })
})
