import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { createEngine } from '../../src/engine/Engine'
import { type Batch, packBatch } from '../../src/models/packing'
import { encode } from '../../src/onnx/encode'
import type { Tensor } from '../../src/tensor'
import { createTrainingGraph } from '../../src/TrainingGraph'
import type { PreparedBatch, Runner } from '../../src/training/Runner'
import { classes, differing, familyNames, randomBatch, tinyModel, withRunner } from './support'

/** The same batch with every column a token: what a padded model computes. */
function padded(runner: Runner, batch: Batch, model: PreTrainedModel): PreparedBatch {
  return { ...runner.prepare(batch, String), packed: packBatch(batch, model.family.packing(model.config), String, true) }
}

const labels = classes(2, 0, 1, 1, 0)
const batches = {
  'rows of all lengths': randomBatch([10, 3, 1, 7, 4], labels, { seed: 3 }),
  'rows padded beyond the longest': randomBatch([2, 5, 1, 3, 5], labels, { seed: 4, width: 10 }),
  'one row alone': randomBatch([6], classes(1), { seed: 5, width: 9 }),
  'single tokens': randomBatch([1, 1, 1], classes(2, 1, 0), { seed: 8 }),
  'a single token': randomBatch([1], classes(1), { seed: 9 }),
  'padding on the left': randomBatch([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]], labels, { seed: 6 }),
  'masks with holes': randomBatch([[1, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]], labels, { seed: 7 }),
}

describe.each(familyNames)('the unpadded program of %s computes what the padded one does', (family) => {
  const attention = family === 'distilbert' ? 'attention_dropout' : 'attention_probs_dropout_prob'
  // the masks of attention depend on the row, the head, the query and the key alone, so that both programs draw the same
  it.each([0, 0.3])('with attention dropout %d', async (dropout) => {
    const model = await tinyModel(family, { [attention]: dropout })
    await withRunner(model, {}, labels, async (compute) => {
      for (const [name, batch] of Object.entries(batches)) {
        const [given, expected] = [await compute([batch]), await compute([batch], padded)]
        expect(given.count, name).toBe(expected.count)
        expect(Math.abs(given.loss - expected.loss), name).toBeLessThanOrEqual(1e-6 * Math.abs(expected.loss))
        expect(differing(given, expected), name).toEqual([])
      }
    })
  })
})

interface Event {
  readonly cat: string
  readonly name: string
  readonly args: { readonly op_name?: string; readonly input_type_shape?: readonly Record<string, number[]>[] }
}

describe.each(familyNames)('a step of %s', (family) => {
  it('multiplies weights with real tokens only, and in the last layer with first tokens only', async () => {
    const [tokens, slots, rows] = [25, 50, 5]
    const batch = batches['rows of all lengths']
    const model = await tinyModel(family)
    const products = await profiledProducts(model, batch)
    const widths = new Set([23, ...model.shapes.flatMap(({ shape }) => shape)])
    expect([tokens, slots, rows].filter((n) => widths.has(n))).toEqual([])
    const lengthsMet = products.map((shapes) => shapes.flat().filter((d) => !widths.has(d)))
    expect(Math.max(...lengthsMet.flat())).toBe(tokens) // the sum of the mask; padded it would be 50
    // per layer: query, key, value, attention output and two of the feed-forward, each forward and backward twice
    const [onTokens, onRows] = [tokens, rows].map((count) => lengthsMet.filter((met) => met.length > 0 && met.every((d) => d === count)).length)
    const projection = family === 'electra' ? 3 : 0
    // layer 0: six; layer 1: keys and values of all tokens, the other four of the first ones; the head: two
    expect({ onTokens, onRows }).toEqual({ onTokens: 3 * (6 + 2) + projection, onRows: 3 * (4 + 2) })
    expect(products).toHaveLength(3 * (6 + 2 + 4 + 2) + projection)
  })
})

/** The shapes of both factors of every product of matrices in a step, as ONNX Runtime's profile has them. */
async function profiledProducts(model: PreTrainedModel, batch: Batch): Promise<number[][][]> {
  const folder = mkdtempSync(join(tmpdir(), 'profile-'))
  const engine = await createEngine({ threads: 1 })
  try {
    const graph = createTrainingGraph(model.config, { problemType: 'single_label_classification' }, true)
    const program = await engine.load(encode(graph.training).model, { profile: join(folder, 'step') })
    const given: Record<string, Tensor> = { ...Object.fromEntries(model.parameters), ...packBatch(batch, model.family.packing(model.config)).feeds, labels: batch.labels! }
    await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!])))
    const events = JSON.parse(readFileSync(program.endProfiling()!, 'utf8')) as Event[]
    return events
      .filter(({ cat, name, args }) => cat === 'Node' && name.endsWith('_kernel_time') && /Gemm|MatMul/.test(args.op_name ?? ''))
      .map(({ args }) => args.input_type_shape!.slice(0, 2).map((typed) => Object.values(typed)[0]!))
      // sums over an axis are products with a row or a column of ones
      .filter((shapes) => shapes.every((shape) => shape.length === 2 && !shape.includes(1)))
  } finally {
    engine.dispose()
    rmSync(folder, { recursive: true })
  }
}
