import { describe, expect, it } from 'vitest'
import { packed, packedLayout } from '../../src/feeds/packed'
import type { ModelConfig } from '../../src/models/config'
import type { DropoutSite } from '../../src/models/Model'
import { GraphBuilder } from '../../src/onnx/builder'
import type { Graph } from '../../src/onnx/types'
import { evaluationGraph } from '../../src/programs/evaluation'
import { trainingProgram } from '../../src/programs/training'
import { MersenneTwister } from '../../src/random'
import { sizeOf, Tensor } from '../../src/tensor'
import { oracleMasks } from '../feeds/tokens.case'
import { readJson } from '../helpers/oracle'
import { evaluate } from '../helpers/referenceEngine'
import { definitionOf, familyNames } from '../helpers/oracleModels'

interface Asked {
  readonly p: number
  readonly shape: number[]
}

interface SiteOracle {
  readonly families: Record<string, { sizes: ModelConfig; alone: Record<string, Asked[]>; defaults: Asked[] }>
}

const oracle = readJson<SiteOracle>('sites.json')

describe.each(familyNames)('the dropout of %s', family => {
  const { sizes, alone, defaults } = oracle.families[family]!
  const none = Object.fromEntries(Object.keys(alone).map(key => [key, 0]))
  const sitesOf = (fields: Record<string, unknown>): readonly DropoutSite[] => {
    const model = definitionOf({ ...sizes, ...fields, model_type: family }, 'single_label_classification', geometry =>
      packed(geometry, { groups: 1 }),
    )
    const layout = model.layout({ rows: 1, fewShapes: false })
    return trainingProgram(model, layout, layout.usualVariant, {}).dropout
  }

  // PyTorch's modules were asked with a batch of 2 rows, padded to 4 columns
  const fits = ({ shape }: DropoutSite, asked: Asked): boolean => {
    const rank = asked.shape.length
    const last = asked.shape.at(-1)!
    if (rank === 4)
      return shape.length === 4 && shape[0] === 'batch' && shape[1] === asked.shape[1] && shape[3] === 'length'
    return (
      shape.length === 2 &&
      shape[1] === last &&
      (rank === 2
        ? shape[0] === 'batch' || shape[0] === asked.shape[0]
        : ['tokens', 'batch'].includes(String(shape[0])))
    )
  }
  const expectSites = (sites: readonly DropoutSite[], asked: readonly Asked[]): void => {
    expect(sites.map(site => site.probability)).toEqual(asked.map(({ p }) => p))
    sites.forEach((site, i) =>
      expect(fits(site, asked[i]!), `${site.input} [${site.shape.join()}] for [${asked[i]!.shape.join()}]`).toBe(true),
    )
    expect(new Set(sites.map(site => site.input)).size).toBe(sites.length)
  }

  it.each(Object.keys(alone))("drops where Hugging Face's modules do for %s alone", key => {
    expect(alone[key]!.length).toBeGreaterThan(0)
    expectSites(sitesOf({ ...none, [key]: 0.3 }), alone[key]!)
  })

  it("drops with Hugging Face's probabilities where the config names none", () => {
    expectSites(sitesOf({}), defaults)
  })

  it('drops nothing at probability 0, nor in evaluation', () => {
    expect(sitesOf(none)).toEqual([])
    const config: ModelConfig = {
      ...sizes,
      model_type: family,
      ...Object.fromEntries(Object.keys(alone).map(key => [key, 0.5])),
    }
    const evaluationOf = (fields: ModelConfig): Graph => {
      const model = definitionOf(fields)
      const layout = model.layout({ rows: 1, fewShapes: false })
      return evaluationGraph(model, layout, layout.usualVariant, {})
    }
    const graph = evaluationOf(config)
    expect(graph.inputs.map(({ name }) => name).filter(name => name.startsWith('dropout'))).toEqual([])
    expect(graph.nodes).toEqual(evaluationOf({ ...config, ...none }).nodes)
  })

  it('lets the gradients of the whole model agree with finite differences, the masks held', async () => {
    const { program, inputs, model } = await oracleMasks(family, packedLayout)
    const found = evaluate(program.graph, inputs)
    const builder = GraphBuilder.from(program.graph)
    const forward = builder.build({ loss: program.graph.outputs.find(({ name }) => name === 'loss')! })
    const random = new MersenneTwister(5)
    const needed = new Set(forward.inputs.map(({ name }) => name))
    const own = Object.fromEntries(Object.entries(inputs).filter(([name]) => needed.has(name)))
    for (const { name, shape } of model.definition.parameters) {
      const direction = Float64Array.from({ length: sizeOf(shape) }, () => random.uniform() - 0.5)
      const at = (h: number): number => {
        const moved = Float64Array.from(inputs[name]!.data as Float32Array, (v, i) => v + h * direction[i]!)
        return Number(evaluate(forward, { ...own, [name]: new Tensor('float64', moved, shape) }).loss!.data[0])
      }
      const numeric = (4 * quotient(at, 1e-4) - quotient(at, 2e-4)) / 3
      const analytic = direction.reduce((sum, v, i) => sum + v * Number(found[`${name}_grad`]!.data[i]), 0)
      expect(Math.abs(analytic - numeric), `${name}: ${analytic} for ${numeric}`).toBeLessThan(
        1e-7 * (1 + Math.abs(numeric)),
      )
    }
  })
})

function quotient(at: (h: number) => number, h: number): number {
  return (at(h) - at(-h)) / (2 * h)
}
