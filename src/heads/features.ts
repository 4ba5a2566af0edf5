import { TrainerError } from '../errors'
import type { Head } from './Head'
import { exportedTokens, inBatch } from './tokenLabels'
import { outOfOrder } from '../feeds/rowOrder'

/**
 * No head: what an encoder makes of each token, `last_hidden_state` [rows, length, width], and what its pooler makes of
 * each row, `pooler_output` [rows, width], if it has one. There are no labels, and no loss.
 */
export function features(width: number): Head {
  const head: Head = {
    task: 'feature-extraction',
    reads: 'all',
    width,
    outputNames: ['last_hidden_state', 'pooler_output'],
    labelNames: [],
    configFields: {},
    takesCustomLoss: false,
    decided: () => head,
    withLoss: () => {
      throw untrainable()
    },
    declare: () => {
      throw untrainable()
    },
    loss: () => {
      throw untrainable()
    },
    feed: () => undefined,
    predictions: ({ last_hidden_state: tokens, pooler_output: pooled }, places, shape) => ({
      last_hidden_state: inBatch(tokens!, places, shape),
      ...(pooled !== undefined && { pooler_output: outOfOrder(pooled, places.order) }),
    }),
    exported: (graph, { last_hidden_state: tokens, ...pooled }, inputIds) => ({
      last_hidden_state: exportedTokens(graph, tokens!, inputIds),
      ...pooled,
    }),
  }
  return head
}

function untrainable(): TrainerError {
  return new TrainerError('argument', 'A model of AutoModel gives features: it has no head, and so no loss.', {
    fix: 'To train it, load the same folder with AutoModelForSequenceClassification or another AutoModelFor….',
  })
}
