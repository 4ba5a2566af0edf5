// what a loss in a head of the user's own may not be computed of
import { describe, expect, it } from 'vitest'
import { AutoModel, crossEntropy, meanSquaredError, type OwnHead } from '../../src/index'
import { config } from './taskBatches'

const head: OwnHead = {
  name: 'BertForBoth',
  labels: { topic: { classes: 3 }, score: { numbers: 2 } },
  outputs: (encoded, { linear }) => ({
    topic: linear('topic', encoded.first(), 3),
    score: linear('score', encoded.first(), 2),
  }),
  loss: (outputs, labels, graph) => crossEntropy(graph, outputs['topic']!, labels['topic']!),
}
const open = (parts: object) =>
  AutoModel.fromConfig(config, { head: { ...head, ...parts } as unknown as OwnHead<string, never> })

describe('a loss', () => {
  const one =
    (kind: object, width: number, loss: OwnHead['loss'], encoded: 'first' | 'tokens' = 'first') =>
    () =>
      open({
        labels: { topic: kind },
        outputs: ((all, { linear }) => ({
          topic: linear('topic', all[encoded](), width),
        })) satisfies OwnHead['outputs'],
        loss,
      })
  const entropy: OwnHead['loss'] = (outputs, labels, graph) => crossEntropy(graph, outputs['topic']!, labels['topic']!)
  const squares: OwnHead['loss'] = (outputs, labels, graph) =>
    meanSquaredError(graph, outputs['topic']!, labels['topic']!)
  const [three, two] = [{ classes: 3 }, { numbers: 2 }]

  it.each<[string, () => unknown, RegExp]>([
    [
      'of fewer classes',
      one(three, 2, entropy),
      /"topic" have 3 classes, but the outputs are \[batch, 2\]\. Give the layer 3/,
    ],
    ['of more classes', one(three, 5, entropy), /"topic" have 3 classes, but the outputs are \[batch, 5\]/],
    ['of other numbers', one(two, 1, squares), /meanSquaredError\(.*"topic" have 2 numbers each, but .* \[batch, 1\]/],
    [
      'of tokens for rows',
      one(three, 3, entropy, 'tokens'),
      /outputs \[tokens, 3\] are for each token, but the labels "topic" for each row\. Make .*encoded\.first\(\)/,
    ],
    [
      'of rows for tokens',
      one({ classes: 3, of: 'tokens' }, 3, entropy),
      /outputs \[batch, 3\] are for each row, but the labels "topic" for each token\. Make .*encoded\.tokens\(\)/,
    ],
    [
      'of an output that there is not',
      one(three, 3, (outputs, labels, graph) => crossEntropy(graph, outputs['topik']!, labels['topic']!)),
      /crossEntropy\(graph, logits, labels\): the second is undefined; a value of the graph/,
    ],
    [
      'of labels that there are not',
      one(three, 3, (outputs, labels, graph) => crossEntropy(graph, outputs['topic']!, labels['topik']!)),
      /crossEntropy\(graph, logits, labels\): the third is undefined/,
    ],
    [
      'of labels and outputs',
      one(three, 3, (outputs, labels, graph) => crossEntropy(graph, labels['topic']!, outputs['topic']!)),
      /was given the labels "topic" in place of outputs\. First come the outputs/,
    ],
  ])('%s is refused', (_, make, message) => {
    expect(make).toThrow(message)
  })

  it('has to be there for all labels, and weights by columns', () => {
    const outputs = head.outputs
    const topic: OwnHead['loss'] = (values, labels, graph) => ({
      topic: crossEntropy(graph, values['topic']!, labels['topic']!),
    })
    const message = /BertForBoth has the labels "score", but no loss of them\. Return one for them too/
    expect(() => open({ outputs, loss: topic })).toThrow(message)
    expect(() =>
      open({ outputs, loss: (...given: Parameters<typeof topic>) => topic(...given)['topic' as never] }),
    ).toThrow(message)
    expect(() => open({ outputs, weights: { score: 2 }, loss: entropy })).toThrow(
      /weights of BertForBoth has "score", but its loss is one for all columns\. Return losses by their columns/,
    )
  })
})
