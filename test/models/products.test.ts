import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PreTrainedModel } from '../../src/auto/PreTrainedModel'
import { createEngine } from '../../src/engine/Engine'
import { packed } from '../../src/feeds/packed'
import { encode } from '../../src/onnx/encode'
import { trainingProgram } from '../../src/programs/training'
import type { Batch, Tensor } from '../../src/tensor'
import { tokenBatches } from '../feeds/tokens.case'
import { definitionOf, familyNames, oracleModel } from '../helpers/oracleModels'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface Event {
  readonly cat: string
  readonly name: string
  readonly args: { readonly op_name?: string; readonly input_type_shape?: readonly Record<string, number[]>[] }
}

describe.each(familyNames)('a step of %s', family => {
  it('multiplies weights with real tokens only, and in the last layer with first tokens only', async () => {
    const tokens = 25
    const slots = 50
    const rows = 5
    const batch = tokenBatches['rows of all lengths']!
    const model = await oracleModel(family)
    const products = await profiledProducts(model, batch)
    const widths = new Set([23, ...model.definition.parameters.flatMap(({ shape }) => shape)])
    expect([tokens, slots, rows].filter(n => widths.has(n))).toEqual([])
    const lengthsMet = products.map(shapes => shapes.flat().filter(d => !widths.has(d)))
    expect(Math.max(...lengthsMet.flat())).toBe(tokens) // the sum of the mask; padded it would be 50
    // per layer: query, key, value, attention output and two of the feed-forward, each forward and backward twice
    const productsOf = (count: number): number =>
      lengthsMet.filter(met => met.length > 0 && met.every(d => d === count)).length
    const onTokens = productsOf(tokens)
    const onRows = productsOf(rows)
    const projection = family === 'electra' || family === 'albert' ? 3 : 0
    // the gradients of small tables of embeddings: one each
    const tables = model.definition.parameters.filter(
      ({ name, shape }) => /(word|position|token_type|tok)_embeddings/.test(name) && shape[0]! > 1,
    ).length
    // distances: of two groups the gradient of what is read of a table, for all queries and for first ones; or in each layer
    // two products of a table, and of each what two groups read; and a convolution
    const others: Readonly<Record<string, number>> = { mpnet: 2 + 2, 'deberta-v2': 2 * (3 * 2 + 2 * 2) + 3 }
    // layer 0: six; layer 1: keys and values of all tokens, the other four of the first ones; the head: two.
    // ModernBERT has one product for queries, keys and values
    const [whole, early, late] = family === 'modernbert' ? [4, 1, 3] : [6, 2, 4]
    expect({ onTokens, onRows }).toEqual({
      onTokens: 3 * (whole + early) + projection + tables,
      onRows: 3 * (late + 2),
    })
    expect(products).toHaveLength(3 * (whole + early + late + 2) + projection + tables + (others[family] ?? 0))
  })
})

/** The shapes of both factors of every product of matrices in a step, as ONNX Runtime's profile has them. */
async function profiledProducts(model: PreTrainedModel, batch: Batch): Promise<number[][][]> {
  const folder = temporaryFolder()
  const engine = await createEngine({ threads: 1 })
  try {
    const definition = definitionOf(model.config, 'single_label_classification', geometry =>
      packed(geometry, { groups: 2 }),
    )
    const layout = definition.layout({ rows: 8, fewShapes: false })
    const feed = layout.feed(batch, String)
    const { graph } = trainingProgram(definition, layout, feed.variant, {}, { onProcessor: true })
    const program = await engine.load(encode(graph).model, { profile: join(folder, 'step') })
    const given: Record<string, Tensor> = {
      ...Object.fromEntries(model.parameters),
      ...feed.inputs,
      ...definition.head.feed(batch, feed.places, String)!.inputs,
    }
    await program.run(Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!])))
    const events = JSON.parse(readFileSync(program.endProfiling()!, 'utf8')) as Event[]
    return (
      events
        .filter(
          ({ cat, name, args }) =>
            cat === 'Node' && name.endsWith('_kernel_time') && /Gemm|MatMul/.test(args.op_name ?? ''),
        )
        .map(({ args }) => args.input_type_shape!.slice(0, 2).map(typed => Object.values(typed)[0]!))
        // sums over an axis are products with a row or a column of ones
        .filter(shapes => shapes.every(shape => shape.length === 2 && !shape.includes(1)))
    )
  } finally {
    engine.dispose()
  }
}
