import { crossEntropy } from '../losses/crossEntropy'
import { countedTokens } from './countedTokens'
import type { CountedTokens, Head } from './Head'
import { exportedTokens, inBatch, tokenLabels } from './tokenLabels'
import { onlyLoss } from './lossOptions'

/** A head that gives each token one of `width` classes: its model's output `logits` is [tokens, width]. */
export function tokenClassification(width: number): Head {
  return classesOfTokens(
    'token-classification',
    width,
    'Load the model with the right numLabels, or correct the labels.',
  )
}

/** A head that guesses hidden tokens: a class for each word of the vocabulary. */
export function maskedLanguageModel(vocabularySize: number): Head {
  const advice = 'The tokenizer and the model do not belong together.'
  return classesOfTokens('masked-lm', vocabularySize, advice, countedTokens)
}

function classesOfTokens(
  task: 'token-classification' | 'masked-lm',
  width: number,
  advice: string,
  counted?: CountedTokens,
): Head {
  const head: Head = {
    task,
    reads: 'all',
    width,
    labelNames: ['labels'],
    configFields: {},
    decided: () => head,
    withLoss: name => onlyLoss(head, name, 'cross_entropy'),
    declare: (graph, { logits }) => ({ labels: graph.input('labels', 'int32', [logits!.shape[0]!]) }),
    loss: (graph, { logits }, { labels }, options) => crossEntropy(graph, logits!, labels!, options),
    feed: (batch, places, rowName) => tokenLabels(batch, { count: width, advice }, places, rowName),
    predictions: ({ logits }, places, shape) => ({ logits: inBatch(logits!, places, shape) }),
    exported: (graph, { logits }, inputIds) => ({ logits: exportedTokens(graph, logits!, inputIds) }),
    ...(counted !== undefined && { counted }),
  }
  return head
}
