// heads of the user's own against PyTorch: outputs, losses and gradients, in one batch and in micro-batches
import { describe, expect, it } from 'vitest'
import { packed } from '../../src/feeds/packed'
import { paddedLayout } from '../../src/feeds/padded'
import type { MakeTokenLayout } from '../../src/feeds/TokenLayout'
import { TrainableModel } from '../../src/auto/TrainableModel'
import { architectureOf } from '../../src/models/registry'
import { transformer } from '../../src/models/transformer'
import type { ProcessGroup, Sums } from '../../src/processes/ProcessGroup'
import type { PreTrainedModel, Tensor } from '../../src/index'
import { addedLoss, meanLoss } from '../../src/training/lossSums'
import { placesInUpdate } from '../../src/training/updates'
import { Runner } from '../../src/training/Runner'
import { rowsOf } from '../helpers/batches'
import { type Computed, compute, differing, gradientsOf, norm, withRunner } from '../helpers/compute'
import { loadSlots, loadTriage, oracleOf } from './ownHeads'

const cases = [
  { name: 'bert-triage' as const, load: loadTriage as () => Promise<PreTrainedModel<unknown>>, count: 4 + 6 + 24 },
  { name: 'distilbert-slots' as const, load: loadSlots as () => Promise<PreTrainedModel<unknown>>, count: undefined },
]

describe.each(cases)('$name', ({ name, load, count }) => {
  const { batch, outputs, loss: expectedLoss, gradients: expectedGradients } = oracleOf(name)
  const mask = batch.attention_mask!.data
  const [rows = 0, length = 0] = batch.input_ids!.dims

  it('computes what PyTorch computes', async () => {
    await withRunnerOf(await load(), async runner => {
      const { predictions, loss } = await runner.forward(runner.feed(batch, row => `row ${row}`, 'evaluation'))
      expect(Math.abs(meanLoss(loss!) - expectedLoss)).toBeLessThan(1e-5 * expectedLoss)
      const found = await predictions()
      expect(Object.keys(found)).toEqual(Object.keys(outputs))
      for (const [output, { shape, data }] of Object.entries(outputs)) {
        const { dims, data: given } = found[output] as Tensor<'float32'>
        expect(dims).toEqual(shape)
        const each = data.length / (rows * length)
        given.forEach((value, at) => {
          if (shape.length === 3 && value === -100) return expect(mask[Math.floor(at / each)]).toBe(0)
          expect(value).toBeCloseTo(data[at] as number, 4)
        })
      }
    })
  })

  it('has the gradients of PyTorch', async () => {
    const found = await compute(await load(), [batch])
    if (count !== undefined) expect(found.count).toBe(count)
    expectOracle(found, expectedLoss, expectedGradients)
  })

  it('adds up over micro-batches, though each has other shares of the labels', async () => {
    for (const bounds of [
      [0, 3, 6],
      [0, 1, 5, 6],
      [0, 2, 3, 4, 6],
    ]) {
      const parts = bounds.slice(1).map((end, i) => rowsOf(batch, bounds[i]!, end))
      expectOracle(await compute(await load(), parts), expectedLoss, expectedGradients)
    }
  })

  it('adds up over two processes, though each has other shares of the labels', async () => {
    const shares = [rowsOf(batch, 0, 2), rowsOf(batch, 2, 6)]
    const { allReduce } = groupOfTwo()
    const parts = shares.map(async (share, rank) =>
      withRunner(await load(), {}, share, async (_, runner) => {
        const feeds = [runner.feed(share, row => `row ${row}`)]
        const places = await placesInUpdate(feeds, { rank, size: 2, allReduce }, { microBatches: 1, rows: 6 })
        const microBatches = [{ step: 0, index: 0, ...places[0]! }]
        for await (const ready of runner.training.prepared(feeds, microBatches)) await runner.training.run(ready)
        return { ...(await runner.store.sums()), gradients: await gradientsOf(runner) }
      }),
    )
    const [first, second] = (await Promise.all(parts)) as unknown as [Computed, Computed]
    const gradients = [...first.gradients].map(
      ([name, values]) => [name, values.map((value, at) => value + second.gradients.get(name)![at]!)] as const,
    )
    const both = { loss: first.loss + second.loss, count: first.count + second.count, gradients: new Map(gradients) }
    expectOracle(both, expectedLoss, expectedGradients)
  })

  it('is the same with layers computed again, and near it in 16 bits', async () => {
    expectOracle(await compute(await load(), [batch], { gradientCheckpointing: true }), expectedLoss, expectedGradients)
    const { loss, count: counted } = await compute(await load(), [batch], { precision: { training: 'float16' } })
    expect(Math.abs(loss / counted - expectedLoss)).toBeLessThan(0.01 * expectedLoss)
  })

  it('has an evaluation loss that does not depend on the batches', async () => {
    await withRunnerOf(await load(), async runner => {
      const parts = [rowsOf(batch, 0, 1), rowsOf(batch, 1, 5), rowsOf(batch, 5, 6)]
      const losses = []
      for (const part of parts)
        losses.push((await runner.forward(runner.feed(part, row => `row ${row}`, 'evaluation', true))).loss!)
      const mean = meanLoss(losses.reduce((a, b) => addedLoss(a, b)))
      expect(Math.abs(mean - expectedLoss)).toBeLessThan(1e-5 * expectedLoss)
    })
  })

  it('is the same with and without padding, in groups, and in rounded feeds', async () => {
    const model = await load()
    const { head } = model.definition
    const of = (layout: MakeTokenLayout): Promise<Computed> =>
      compute(
        new TrainableModel(transformer(architectureOf(model.config), model.config, head, layout), model.parameters),
        [batch],
      )
    const padded = await of(paddedLayout)
    for (const layout of [
      ((geometry, _, keep) => packed(geometry, { groups: 3 }, keep)) as MakeTokenLayout,
      ((geometry, _, keep) =>
        packed(geometry, { groups: 1, round: { tokens: 16, length: 8 } }, keep)) as MakeTokenLayout,
    ])
      expect(differing(await of(layout), padded)).toEqual([])
  })
})

async function withRunnerOf(model: TrainableModel, use: (runner: Runner) => Promise<void>): Promise<void> {
  const runner = await Runner.create({ model, engine: { threads: 1 } })
  try {
    await use(runner)
  } finally {
    await runner.dispose()
  }
}

/** Adds up what two processes give it, once both have. */
function groupOfTwo(): Pick<ProcessGroup, 'allReduce'> {
  const given: (readonly Sums[])[] = []
  let bothHave: () => void
  const both = new Promise<void>(resolve => (bothHave = resolve))
  return {
    async allReduce(arrays) {
      given.push(arrays.map(array => array.slice()))
      if (given.length === 2) bothHave()
      await both
      arrays.forEach((array, i) => array.set(given[0]![i]!.map((value, at) => value + given[1]![i]![at]!)))
    },
  }
}

function expectOracle(
  found: Computed,
  expectedLoss: number,
  expected: Readonly<Record<string, { norm: number; first: number[] } | null>>,
): void {
  expect(Math.abs(found.loss / found.count - expectedLoss)).toBeLessThan(1e-5 * expectedLoss)
  const largest = Math.max(...Object.values(expected).map(gradient => gradient?.norm ?? 0))
  expect([...found.gradients.keys()].toSorted()).toEqual(
    Object.keys(expected)
      .filter(name => expected[name] !== null)
      .toSorted(),
  )
  for (const [name, gradient] of Object.entries(expected)) {
    if (gradient === null) continue
    const given = found.gradients.get(name)!.map(value => value / found.count)
    const near = Math.max(1e-4 * gradient.norm, 2e-6 * largest)
    expect(Math.abs(norm(given) - gradient.norm), name).toBeLessThanOrEqual(near)
    gradient.first.forEach((value, at) => expect(Math.abs(given[at]! - value), name).toBeLessThanOrEqual(near))
  }
}
