// tables of artifacts, whose gradients come as the rows that a batch has read
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../../src/engine/Engine'
import { encode } from '../../src/onnx/encode'
import { GraphBuilder } from '../../src/onnx/builder'
import { generateArtifacts, TrainingArtifacts } from '../../src/index'
import { trainingProgram } from '../../src/programs/training'
import { MersenneTwister } from '../../src/random'
import { type Batch, sizeOf, Tensor } from '../../src/tensor'
import { withRunner } from '../helpers/compute'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { evaluate } from '../helpers/referenceEngine'
import { enginesOn } from '../helpers/sharedEngines'
import { temporaryFolder } from '../helpers/temporaryFolder'

const random = new MersenneTwister(4)
const numbers = (...dims: number[]): Tensor<'float32'> =>
  new Tensor(
    'float32',
    Float32Array.from({ length: sizeOf(dims) }, () => random.uniform() - 0.5),
    dims,
  )

/** Two words of one table and a kind of a small one for each row, times a matrix. */
function words(): string {
  const g = new GraphBuilder('words')
  const rows = g.gather(g.initializer('words', numbers(200, 4)), g.input('ids', 'int64', ['n', 2]))
  const kinds = g.gather(g.initializer('kinds', numbers(3, 4)), g.input('kind', 'int64', ['n']))
  const sum = g.add(g.reduceSum(g.mul(rows, rows), [1]), kinds)
  const file = join(temporaryFolder(), 'words.onnx')
  writeFileSync(file, encode(g.build({ logits: g.matMul(sum, g.initializer('output', numbers(4, 3))) })).model)
  return file
}

const whole = (values: readonly number[], ...dims: number[]): Tensor<'int64'> =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), dims)
// -200 and -1 are the first and the last word
const batch: Batch = {
  ids: whole([7, 150, 7, -1, 199, 0, -200, 3], 4, 2),
  kind: whole([0, 2, -1, 2], 4),
  labels: whole([0, 2, 1, 1], 4),
}

describe.each(['portable', 'onnxruntime-training'] as const)("a table of artifacts in the dialect '%s'", dialect => {
  let model: TrainingArtifacts
  beforeAll(async () => {
    const artifactDirectory = temporaryFolder()
    await generateArtifacts(words(), { loss: 'cross-entropy', optimizer: 'adamw', dialect, artifactDirectory })
    model = await TrainingArtifacts.fromPretrained(artifactDirectory)
  })

  const programOf = (rows: boolean): ReturnType<typeof trainingProgram> => {
    const layout = model.definition.layout({ rows: 4, fewShapes: false })
    return trainingProgram(model.definition, layout, layout.usualVariant, {}, { rows, onProcessor: true })
  }

  it('has a gradient of rows where it is large, and a product where it is small', () => {
    const { gradients, graph } = programOf(true)
    expect(Object.fromEntries([...gradients].map(([name, { kind }]) => [name, kind]))).toEqual({
      words: 'rows',
      kinds: 'dense',
      output: 'dense',
    })
    expect(graph.nodes.map(({ op }) => op)).not.toContain('ScatterElements')
  })

  it.each([
    ['the shared store', () => createEngine({ threads: 1 })],
    ['the device store', () => Promise.resolve(pretendedDevice())],
  ])('has the gradient of the whole table in %s', async (_, open) => {
    const expected = evaluate(programOf(false).graph, { ...batch, ...Object.fromEntries(model.parameters) })
    const engine = await open()
    const engines = enginesOn(engine)
    await withRunner(model, { engines }, batch, async compute => {
      const { gradients } = await compute([batch])
      for (const name of ['words', 'kinds', 'output'])
        gradients
          .get(name)!
          .forEach((value, i) =>
            expect(value, `${name}[${i}]`).toBeCloseTo(Number(expected[`${name}_grad`]!.data[i]), 6),
          )
    })
  })
})
