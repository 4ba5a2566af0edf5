import { describe, expect, it } from 'vitest'
import { modelFromConfig, type PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { setLogSink } from '../../src/logging'
import type { LossFunction } from '../../src/losses/LossFunction'
import type { Objective } from '../../src/programs/loss'
import { type Batch, Tensor } from '../../src/tensor'
import { classes, randomBatch, rowsOf } from '../helpers/batches'
import { compute, differing, withEvaluation, withRunner } from '../helpers/compute'
import { oracleModel } from '../helpers/oracleModels'

setLogSink(() => {})

const lengths = [6, 2, 9, 1, 5, 3, 7, 4]
const classLabels = classes(2, 0, -100, 1, 0, 2, -100, 1)
const values = Tensor.from('float32', [0.5, -1, 2.5, 0, 3, 1.25, -0.75, 4])
const switches = Tensor.from('float32', [
  [1, 0, 1],
  [0, 0, 0],
  [1, 1, 1],
  [0, 1, 0],
  [1, 0, 0],
  [0, 0, 1],
  [1, 1, 0],
  [0, 1, 1],
])

/** A custom cross-entropy as a scalar that is divided by the count, and as a sum and a count. */
const divided: LossFunction = ({ logits }, labels, count, graph) => graph.div(summed({ logits }, labels, graph), count)
const undivided: LossFunction = ({ logits }, labels, _count, graph) => {
  const counted = graph.cast(graph.not(graph.equal(labels, -100)), 'float32')
  return { sum: summed({ logits }, labels, graph), count: graph.sum(counted) }
}
function summed(
  { logits }: { logits: Parameters<LossFunction>[0]['logits'] },
  labels: Parameters<LossFunction>[1],
  graph: Parameters<LossFunction>[3],
): Parameters<LossFunction>[1] {
  const logProbabilities = graph.log(graph.softmax(logits))
  const ids = graph.constant(Tensor.from('int32', [[0, 1, 2]]))
  return graph.neg(
    graph.sum(graph.mul(graph.cast(graph.equal(graph.unsqueeze(labels, [1]), ids), 'float32'), logProbabilities)),
  )
}

interface Head {
  readonly name: string
  readonly labels: Tensor
  readonly fields?: Readonly<Record<string, unknown>>
  readonly objective?: Objective
}

const oneLabel = { id2label: { 0: 'value' } }
const heads: readonly Head[] = [
  { name: 'single label', labels: classLabels },
  { name: 'single label, smoothed', labels: classLabels, objective: { labelSmoothing: 0.1 } },
  { name: 'single label, weighted', labels: classLabels, objective: { classWeights: [0.5, 2, 1.25] } },
  {
    name: 'single label, smoothed and weighted',
    labels: classLabels,
    objective: { labelSmoothing: 0.2, classWeights: [0.5, 2, 1.25] },
  },
  {
    name: 'single label, with dropout',
    labels: classLabels,
    fields: { hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.2, classifier_dropout: 0.2 },
  },
  { name: 'multi-label', labels: switches },
  { name: 'regression of three values', labels: switches, fields: { problem_type: 'regression' } },
  { name: 'a custom loss, divided', labels: classLabels, objective: { custom: divided } },
  { name: 'a custom loss, as sum and count', labels: classLabels, objective: { custom: undivided } },
]

/**
 * An update's rows in micro-batches, the last of them shorter; the third one has no label that counts when there are
 * four.
 */
const windows: readonly (readonly number[])[] = [
  [0, 4, 8],
  [0, 3, 6, 8],
  [0, 2, 3, 7, 8],
]

describe('micro-batches add up to the whole batch', () => {
  it.each(heads)('$name', async ({ labels, fields = {}, objective = {} }) => {
    await expectAdditive(() => oracleModel('bert', fields), randomBatch(lengths, labels, { seed: 11 }), objective)
  })

  it.each(['roberta', 'distilbert', 'electra'] as const)('regression with %s', async family => {
    // a model with one label needs a head of its own
    const start = (): Promise<PreTrainedModel> =>
      oracleModel(family).then(model => modelFromConfig({ ...model.config, ...oneLabel, initializer_range: 0.3 }))
    await expectAdditive(start, randomBatch(lengths, values, { seed: 12 }), {})
  })
})

async function expectAdditive(
  start: () => Promise<PreTrainedModel>,
  batch: Batch,
  objective: Objective,
): Promise<void> {
  await withRunner(await start(), { objective }, batch, async run => {
    const whole = await run([batch])
    expect(whole.count).toBeGreaterThan(0)
    for (const bounds of windows) {
      const parts = await run(bounds.slice(1).map((end, i) => rowsOf(batch, bounds[i]!, end)))
      expect(Math.abs(parts.count - whole.count)).toBeLessThan(1e-6 * whole.count)
      expect(Math.abs(parts.loss / parts.count - whole.loss / whole.count), bounds.join()).toBeLessThanOrEqual(
        1e-6 * Math.abs(whole.loss / whole.count),
      )
      expect(differing(parts, whole), bounds.join()).toEqual([])
    }
  })
}

describe('a custom loss', () => {
  const batch = randomBatch(lengths, classLabels, { seed: 13 })

  it.each([
    ['divided', divided],
    ['as sum and count', undivided],
  ])('%s, is the built-in one if it computes the same', async (_, custom) => {
    const own = await compute(await oracleModel('bert'), [batch], { objective: { custom } })
    const builtIn = await compute(await oracleModel('bert'), [batch])
    expect(own.count).toBe(6)
    expect(own.loss).toBeCloseTo(builtIn.loss, 5)
    expect(differing(own, builtIn)).toEqual([])
  })

  it('gives an evaluation loss that does not depend on the batches', async () => {
    await withEvaluation(await oracleModel('bert'), { objective: { custom: divided } }, async evaluate => {
      const whole = await evaluate(batch)
      const first = await evaluate(rowsOf(batch, 0, 3))
      const rest = await evaluate(rowsOf(batch, 3, 8))
      expect((first.loss!.loss + rest.loss!.loss) / (first.loss!.count + rest.loss!.count)).toBeCloseTo(
        whole.loss!.loss / whole.loss!.count,
        6,
      )
    })
  })

  it('has to be a scalar', async () => {
    const perRow: LossFunction = ({ logits }, _labels, _count, graph) => graph.reduceSum(logits, [1])
    await expect(compute(await oracleModel('bert'), [batch], { objective: { custom: perRow } })).rejects.toThrow(
      'The loss function has to return a scalar, but its value has the shape [batch]. Sum it up',
    )
  })
})

describe('the same seed', () => {
  const batch = randomBatch(lengths, classLabels, { seed: 15 })
  const start = (): Promise<PreTrainedModel> =>
    oracleModel('roberta', { hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.2 })

  it('gives bit-identical losses and gradients, another seed others', async () => {
    const a = await compute(await start(), [batch], { seed: 5 })
    const b = await compute(await start(), [batch], { seed: 5 })
    const other = await compute(await start(), [batch], { seed: 6 })
    expect(a).toEqual(b)
    expect(other.loss).not.toBe(a.loss)
  })
})
