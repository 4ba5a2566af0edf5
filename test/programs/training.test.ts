import { describe, expect, it } from 'vitest'
import type { ProblemType } from '../../src/heads/problemType'
import type { ModelConfig } from '../../src/models/config'
import { check } from '../../src/onnx/check'
import { evaluationGraph } from '../../src/programs/evaluation'
import { trainingProgram, type TrainingOptions } from '../../src/programs/training'
import type { TrainingProgram } from '../../src/programs/TrainingProgram'
import { definitionOf } from '../helpers/oracleModels'
import { tinyConfig } from '../helpers/tinyModel'

const config = { ...tinyConfig, vocab_size: 5000 }
const table = 'bert.embeddings.word_embeddings.weight'

function programOf(
  fields: Partial<ModelConfig> = {},
  problemType: ProblemType = 'single_label_classification',
  options: TrainingOptions = {},
): TrainingProgram {
  const model = definitionOf({ ...config, ...fields } as ModelConfig, problemType)
  const layout = model.layout({ rows: 1, fewShapes: false })
  return trainingProgram(model, layout, layout.usualVariant, {}, options)
}

/** The parameters whose gradients come as rows. */
function tablesOf({ gradients }: TrainingProgram): string[] {
  return [...gradients].filter(([, { kind }]) => kind === 'rows').map(([name]) => name)
}

describe('a training program', () => {
  it('gives a gradient for every parameter, the table of words as rows where it is large', () => {
    const { parameters } = definitionOf(config)
    const program = programOf()
    const { graph, gradients } = program
    check(graph)
    const dense = parameters.map(({ name }) => name).filter(name => name !== table)
    expect(tablesOf(program)).toEqual([table])
    expect([...gradients.keys()]).toEqual(parameters.map(({ name }) => name))
    expect(graph.outputs.map(({ name }) => name).toSorted()).toEqual(
      ['loss', 'count', `${table}_rows`, `${table}_index`, ...dense.map(name => `${name}_grad`)].toSorted(),
    )
    for (const { name, shape } of parameters.filter(parameter => parameter.name !== table))
      expect(graph.outputs.find(output => output.name === `${name}_grad`)!.shape).toEqual(shape)
    expect(tablesOf(programOf({ vocab_size: 127 }))).toEqual([])
    expect(tablesOf(programOf({}, 'single_label_classification', { rows: false }))).toEqual([])
  })

  it('has parameters as inputs, never as constants, as programs of evaluation and prediction do', () => {
    const model = definitionOf(config, 'regression')
    const layout = model.layout({ rows: 1, fewShapes: false })
    for (const graph of [
      programOf({}, 'regression').graph,
      evaluationGraph(model, layout, layout.usualVariant, {}),
      evaluationGraph(model, layout, layout.usualVariant, undefined),
    ]) {
      const inputs = new Set(graph.inputs.map(({ name }) => name))
      for (const { name } of model.parameters) expect(inputs.has(name), name).toBe(true)
      expect(Math.max(...[...graph.initializers.values()].map(({ tensor }) => tensor.size))).toBeLessThan(64)
    }
  })

  it('takes labels as the head needs them', () => {
    const labelsFor = (problemType: ProblemType, labels: number): unknown => {
      const id2label = Object.fromEntries(Array.from({ length: labels }, (_, i) => [i, String(i)]))
      const { inputs } = programOf({ id2label }, problemType).graph
      const { dtype, shape } = inputs.find(({ name }) => name === 'labels')!
      return [dtype, shape]
    }
    expect(labelsFor('single_label_classification', 3)).toEqual(['int32', ['batch']])
    expect(labelsFor('regression', 1)).toEqual(['float32', ['batch']])
    expect(labelsFor('regression', 3)).toEqual(['float32', ['batch', 3]])
    expect(labelsFor('multi_label_classification', 3)).toEqual(['float32', ['batch', 3]])
  })
})
