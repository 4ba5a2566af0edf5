// what a head of the user's own may not be, return, or be given
import { describe, expect, it } from 'vitest'
import {
  AutoModel,
  type Batch,
  crossEntropy,
  type ModelConfig,
  meanSquaredError,
  ownHead,
  type OwnHead,
  Tensor,
} from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { config, rowsIn, stack, tokens } from './taskBatches'

const head = ownHead({
  name: 'BertForBoth',
  labels: { topic: { classes: 3 }, score: { numbers: 2 }, labels: { classes: 3, of: 'tokens' } },
  outputs: (encoded, { linear }) => ({
    topic: linear('topic', encoded.first(), 3),
    score: linear('score', encoded.first(), 2),
    tags: linear('tags', encoded.tokens(), 3),
  }),
  loss: (outputs, labels, graph) => ({
    topic: crossEntropy(graph, outputs.topic, labels.topic),
    score: meanSquaredError(graph, outputs.score, labels.score),
    labels: crossEntropy(graph, outputs.tags, labels.labels),
  }),
})

/** The head with other parts, as JavaScript may give them. */
const having = (parts: object): OwnHead<string, never> => ({ ...head, ...parts }) as unknown as OwnHead<string, never>
const open = (parts: object, of: ModelConfig = config) => AutoModel.fromConfig(of, { head: having(parts) })

describe('a head', () => {
  it.each<[string, object, RegExp]>([
    ['a name', { name: 'My head' }, /ownHead\(\): name is 'My head'; the name of a class/],
    ['labels', { labels: {} }, /ownHead\(\): labels is \{ *\}; an object of columns/],
    ['kinds of labels', { labels: { topic: 'int32' } }, /labels\.topic takes its options as an object, not 'int32'/],
    ['no kind at all', { labels: { topic: undefined } }, /labels\.topic is undefined; \{ classes: 2 \} \(or more\) or/],
    ['two kinds at once', { labels: { topic: { classes: 2, numbers: 1 } } }, /labels\.topic is .*was expected/],
    ['one class', { labels: { topic: { classes: 1 } } }, /labels\.topic is .*\{ classes: 2 \} \(or more\)/],
    ['a slip in a kind', { labels: { topic: { classses: 2 } } }, /has no option "classses".*Did you mean classes\?/],
    ['another axis', { labels: { topic: { classes: 2, of: 'token' } } }, /labels\.topic\.of is 'token'; 'rows' or/],
    ['a column that is renamed', { labels: { label: { classes: 2 } } }, /"label", which collators rename.*"labels"/],
    ['an input', { labels: { input_ids: { classes: 2 } } }, /"input_ids", which models take as an input/],
    ['a name that is taken', { labels: { count: { classes: 2 } } }, /"count", which cannot be one's name/],
    ['a weight of no column', { weights: { topc: 2 } }, /weights has no option "topc".*Did you mean topic\?/],
    ['a weight that is none', { weights: { topic: NaN } }, /weights\.topic is NaN; a finite number was expected/],
    ['outputs', { outputs: undefined }, /ownHead\(\): outputs is undefined; a function was expected/],
  ])('needs %s', (_, parts, message) => {
    expect(() => ownHead(having(parts))).toThrow(message)
    expect(() => open(parts)).toThrow(message)
  })

  it('is made by ownHead(), and not a name', async () => {
    await expect(AutoModel.fromPretrained('nowhere', { head: 'topic' as never })).rejects.toThrow(
      "The option head is 'topic', which is no head. Make one by ownHead({ name, labels, outputs, loss }).",
    )
  })

  it('does not go with what is said of classifiers', () => {
    expect(() => AutoModel.fromConfig(config, { head, numLabels: 3 })).toThrow(
      'The option numLabels does not apply to a model for custom-outputs.',
    )
  })
})

describe('its functions', () => {
  type Outputs = OwnHead['outputs']
  it.each<[string, Outputs, RegExp]>([
    [
      'one value',
      ((encoded: Parameters<Outputs>[0]) => encoded.first()) as unknown as Outputs,
      /outputs of BertForBoth returned .*values by name/,
    ],
    ['nothing', (() => undefined) as unknown as Outputs, /outputs of BertForBoth returned undefined/],
    ['a taken name', ({ first }) => ({ loss: first() }), /has the output "loss", which cannot be one's name/],
    [
      'a value of no row',
      ({ first }, { graph }) => ({ topic: graph.sum(first()) }),
      /output "topic" of BertForBoth is float32 \[\]; float32 \[batch, …\] or \[tokens, …\] was expected/,
    ],
    [
      'whole numbers',
      ({ first }, { graph }) => ({ topic: graph.cast(first(), 'int32') }),
      /output "topic" of BertForBoth is int32 \[batch, 8\]/,
    ],
    [
      'two layers of one name',
      ({ first }, { linear }) => ({ topic: linear('a', linear('a', first(), 3), 3) }),
      /two layers called "a": 8 to 3 numbers, and 3 to 3 numbers/,
    ],
    [
      "a layer of the encoder's name",
      ({ first }, { linear }) => ({ topic: linear('bert.pooler.dense', first(), 3) }),
      /"bert\.pooler\.dense" of BertForBoth is called as one of the encoder\. Names that begin with "bert\."/,
    ],
    [
      'a layer of nothing',
      ({ first }, { linear }) => ({ topic: linear('a', first(), 0) }),
      /"a" of BertForBoth has 0 out/,
    ],
    [
      'a layer of a text',
      ({ first }, { linear }) => ({ topic: linear('a', first(), '3' as never) }),
      /The layer "a" of BertForBoth has '3' outputs\. Give a whole number above 0/,
    ],
    [
      'what is given the other way round',
      ({ first }, { linear }) => ({ topic: linear(first() as never, 'a' as never, 3) }),
      /linear\(name, x, outputs\) was given .* and 'a'\. A layer takes its name, then the values/,
    ],
    [
      'a probability that is none',
      ({ first }, { dropout }) => ({ topic: dropout(first(), 1) }),
      /BertForBoth drops with the probability 1\./,
    ],
  ])('may not return %s', (_, outputs, message) => {
    expect(() => open({ outputs })).toThrow(message)
  })

  it('have a pooler only where the family has one', () => {
    const outputs: Outputs = ({ pooled }, { linear }) => ({ topic: linear('topic', pooled(), 3) })
    const distilbert = { model_type: 'distilbert', vocab_size: 23, dim: 8, n_layers: 1, n_heads: 2, hidden_dim: 8 }
    expect(() => open({ outputs }, distilbert)).toThrow(
      /encoded\.pooled\(\), but a distilbert has no pooler\..*first\(\)/,
    )
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /loss of BertForBoth returned undefined; a sum and a count were expected/],
    ['no losses', {}, /loss of BertForBoth returned \{ *\}/],
    ['a number', { topic: 1 }, /loss of BertForBoth returned 1 as "topic"/],
  ])('may not return %s as a loss', (_, returned, message) => {
    expect(() => open({ loss: () => returned })).toThrow(message)
  })

  it('name losses by their columns', () => {
    const loss: OwnHead['loss'] = (outputs, labels, graph) => ({
      topics: crossEntropy(graph, outputs['topic']!, labels['topic']!),
    })
    expect(() => open({ loss })).toThrow(
      /a loss "topics", but its labels are "topic", "score", "labels"\. Did you mean "topic"/,
    )
  })
})

describe('in the Trainer', () => {
  const batch: Batch = {
    ...tokens((row, column) => (row + column) % 3),
    topic: Tensor.from('int32', [0, 1, 2, -100, 1, 0, 2, 2]),
    score: Tensor.from(
      'float32',
      Array.from({ length: 8 }, (_, row) => [row, 0.5]),
    ),
  }
  const trainerOf = (changes: Partial<Batch>, more: object = {}, fields: object = {}) => {
    const changed = Object.fromEntries(Object.entries({ ...batch, ...changes }).filter(([, tensor]) => tensor)) as Batch
    return quietTrainer({
      model: AutoModel.fromConfig(config, { head }),
      args: { outputDir: temporaryFolder(), threads: 1, maxSteps: 1, saveStrategy: 'no', ...fields },
      trainDataset: rowsIn(changed),
      dataCollator: rows => ({ ...stack(rows), ...(changes.score === undefined && { score: scoresOf(rows) }) }),
      ...more,
    })
  }
  const scoresOf = (rows: readonly Readonly<Record<string, unknown>>[]): Tensor =>
    Tensor.from('float32', rows.map(row => row['score']) as number[][])

  it.each<[string, Partial<Batch>, RegExp]>([
    [
      'a class that there is not',
      { topic: Tensor.from('int32', [0, 1, 2, 3, 1, 0, 2, 2]) },
      /"topic" of row 3 of the training dataset is 3, but there are 3 classes: 0 to 2\. Correct it, give -100/,
    ],
    [
      'a class of a token that there is not',
      { labels: Tensor.from('int32', batch.labels!.tolist() as number[][]).reshape([8, 9]) },
      /"labels" of token 4 of row 2 of the training dataset is 9, but there are 3 classes/,
    ],
    [
      'too few numbers',
      { score: Tensor.from('int32', [1, 2, 3, 4, 5, 6, 7, 8]) },
      /"score" has the shape \[8\].*\[8, 2\]: 2 numbers for each row/,
    ],
    ['too few columns', { topic: undefined as never }, /Row \d of the training dataset has no labels/],
  ])('refuses %s by column and row', async (title, changes, message) => {
    if (title.includes('token')) changes.labels!.data[2 * 9 + 4] = 9
    const trainer = trainerOf(changes, {}, { trainSamplingStrategy: 'sequential' })
    await expect(trainer.train()).rejects.toThrow(message)
    await trainer.dispose()
  })

  it.each<[object, object, RegExp]>([
    [{ computeLossFunc: () => undefined }, {}, /A head for custom outputs takes no custom loss/],
    [{ computeLossFunc: 'cross_entropy' }, {}, /BertForBoth has a loss of its own, but the loss "cross_entropy"/],
    [{}, { labelSmoothingFactor: 0.1 }, /labelSmoothingFactor was given, but BertForBoth has a loss of its own/],
    [{ classWeights: [1, 2, 3] }, {}, /classWeights was given, but BertForBoth has a loss of its own/],
  ])('refuses %j %j', async (more, fields, message) => {
    const run = async (): Promise<void> => {
      const trainer = trainerOf({}, more, fields)
      await trainer.train().finally(() => trainer.dispose())
    }
    await expect(run()).rejects.toThrow(message)
  })

  it('refuses losses that count otherwise than their labels, since micro-batches would not add up', async () => {
    const model = AutoModel.fromConfig(config, {
      head: ownHead({
        ...head,
        loss: (outputs, labels, graph) => ({
          topic: crossEntropy(graph, outputs.topic, labels.topic, { classWeights: [1, 2, 3] }),
          score: meanSquaredError(graph, outputs.score, labels.score),
          labels: crossEntropy(graph, outputs.tags, labels.labels),
        }),
      }),
    })
    const trainer = trainerOf({}, { model })
    await expect(trainer.train()).rejects.toThrow(
      /The losses of BertForBoth count \d+, but 48 labels of their columns count in the batch\. .*returned alone/,
    )
    await trainer.dispose()
  })

  it('has another loss of the same outputs by useHead(), and no other outputs', () => {
    const model = AutoModel.fromConfig(config, { head })
    const other = AutoModel.fromConfig(config, { head: ownHead({ ...head, weights: { score: 2 } }) })
    model.useHead(other.definition.head)
    expect(model.definition.head).toBe(other.definition.head)
    const renamed = AutoModel.fromConfig(config, {
      head: having({
        outputs: (encoded: Parameters<OwnHead['outputs']>[0], layers: Parameters<OwnHead['outputs']>[1]) => {
          const { tags, topic, score } = head.outputs(encoded, layers)
          return { topic, score, tags, other: tags }
        },
      }),
    })
    expect(() => model.useHead(renamed.definition.head)).toThrow(/computes other outputs/)
  })
})
