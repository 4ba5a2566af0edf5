// what a graph's file may be: weights in files beside it, other floating-point types, several kinds of outputs
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoModel, type Batch, Tensor } from '../../src/index'
import { GraphBuilder } from '../../src/onnx/builder'
import { encode } from '../../src/onnx/encode'
import type { Graph } from '../../src/onnx/types'
import { compute, withEvaluation } from '../helpers/compute'
import { logMessages } from '../helpers/logMessages'
import { sharedEngines } from '../helpers/sharedEngines'
import { temporaryFolder } from '../helpers/temporaryFolder'

const messages = logMessages()
const shared = sharedEngines()
const weights = { w: [0.5, -1, 2, 0.25, 1.5, -0.75], b: [0.125, -0.5] }

/** x [n, k, 3] → logits [n, k, 2]. */
function placesGraph(dtype: 'float32' | 'float64' | 'float16' = 'float32'): Graph {
  const graph = new GraphBuilder('places', true)
  const x = graph.input('x', dtype, ['n', 'k', 3])
  const stored = (numbers: readonly number[], dims: readonly number[]): Tensor =>
    dtype === 'float16'
      ? new Tensor('float16', Uint16Array.from(numbers, halfOf), dims)
      : Tensor.from(dtype, [...numbers]).reshape(dims)
  const product = graph.matMul(x, graph.initializer('w', stored(weights.w, [3, 2])))
  return graph.build({ logits: graph.add(product, graph.initializer('b', stored(weights.b, [2]))) })
}

/** x [n, 400] → logits [n, 2], with a weight that is worth a file of its own. */
const wide = ((): Graph => {
  const graph = new GraphBuilder('wide', true)
  const weight = Float32Array.from({ length: 800 }, (_, i) => i / 8)
  const w = graph.initializer('w', new Tensor('float32', weight, [400, 2]))
  return graph.build({ logits: graph.matMul(graph.input('x', 'float32', ['n', 400]), w) })
})()

/** A float16's bits, of a number that it has. */
function halfOf(value: number): number {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer)
  const exponent = ((bits! >> 23) & 255) - 112
  return ((bits! >> 16) & 0x8000) | (value === 0 ? 0 : (exponent << 10) | ((bits! >> 13) & 1023))
}

/** The files of a graph in a new folder; the path of the model. */
function written(graph: Graph, options: Parameters<typeof encode>[1] = {}, folder = temporaryFolder()): string {
  const { model, externalData } = encode(graph, options)
  const path = join(folder, 'model.onnx')
  writeFileSync(path, model)
  if (externalData === undefined) return path
  const bytes = new Uint8Array(externalData.length)
  for (const { offset, data } of externalData.tensors) bytes.set(data, offset)
  mkdirSync(dirname(join(folder, externalData.name)), { recursive: true })
  writeFileSync(join(folder, externalData.name), bytes)
  return path
}

const x = Tensor.from('float32', [
  [
    [1, 2, 3],
    [0, -1, 1],
  ],
  [
    [2, 0, 1],
    [1, 1, -2],
  ],
])
const logits = Array.from({ length: 4 }, (_, row) =>
  [0, 1].map(k =>
    [0, 1, 2].reduce((sum, j) => sum + Number(x.data[row * 3 + j]) * weights.w[j * 2 + k]!, weights.b[k]!),
  ),
)

describe('an output of more than rows', () => {
  it('has classes of each place, of which -100 does not count', async () => {
    const model = await AutoModel.fromOnnx(written(placesGraph()), { loss: 'cross-entropy' })
    const batch: Batch = {
      x,
      labels: Tensor.from('int64', [
        [1, -100],
        [0, 1],
      ]),
    }
    const nll = (row: number, label: number): number =>
      Math.log(logits[row]!.reduce((sum, v) => sum + Math.exp(v), 0)) - logits[row]![label]!
    const found = await compute(model, [batch], shared)
    expect(found.count).toBe(3)
    expect(found.loss).toBeCloseTo(nll(0, 1) + nll(2, 0) + nll(3, 1), 5)
    await withEvaluation(model, shared, async evaluate => {
      const predicted = await evaluate(batch)
      expect(predicted.logits.dims).toEqual([2, 2, 2])
      predicted.logits.data.forEach((value, i) => expect(value).toBeCloseTo(logits.flat()[i]!, 5))
    })
  })

  it.each([
    ['mean-squared-error', (v: number, y: number) => (v - y) ** 2],
    ['binary-cross-entropy', (v: number, y: number) => Math.max(v, 0) - v * y + Math.log1p(Math.exp(-Math.abs(v)))],
  ] as const)('has a number for each element: %s', async (loss, of) => {
    const model = await AutoModel.fromOnnx(written(placesGraph()), { loss })
    const targets = [0, 1, 1, 0, 0.5, 0.25, 1, 0]
    const found = await compute(model, [{ x, labels: Tensor.from('float32', targets).reshape([2, 2, 2]) }], shared)
    expect(found.count).toBe(8)
    expect(found.loss).toBeCloseTo(
      targets.reduce((sum, y, i) => sum + of(logits.flat()[i]!, y), 0),
      4,
    )
  })

  it('lets labels decide, and refuses those of another shape', async () => {
    const path = written(placesGraph())
    const [classes, numbers] = [await AutoModel.fromOnnx(path), await AutoModel.fromOnnx(path)]
    classes.decideHead({ x, labels: Tensor.zeros('int64', [2, 2]) })
    numbers.decideHead({ x, labels: Tensor.zeros('float32', [2, 2, 2]) })
    expect([classes, numbers].map(({ definition }) => definition.head.task)).toEqual([
      'token-classification',
      'token-classification',
    ])
    await expect(compute(classes, [{ x, labels: Tensor.zeros('int64', [2]) }], shared)).rejects.toThrow(
      /output is \[n, k, 2\], so labels are class ids \[n, k\], but the labels of the batch have the shape \[2\]\./,
    )
    const wrong = Tensor.from('int64', [
      [0, 1],
      [2, 0],
    ])
    await expect(compute(classes, [{ x, labels: wrong }], shared)).rejects.toThrow(
      /The label of row 1, place 0, is 2, but the output has 2 classes: 0 to 1\./,
    )
  })

  it('may be one number for each row', async () => {
    const graph = new GraphBuilder('one', true)
    const product = graph.matMul(
      graph.input('x', 'float32', ['n', 3]),
      graph.initializer('w', Tensor.from('float32', [[1], [2], [3]])),
    )
    const model = await AutoModel.fromOnnx(written(graph.build({ score: graph.squeeze(product, [1]) })))
    const rows = Tensor.from('float32', [
      [1, 0, 0],
      [0, 1, 1],
    ])
    const found = await compute(model, [{ x: rows, labels: Tensor.from('float32', [0, 4]) }], shared)
    expect(found.loss).toBeCloseTo(1 + 1, 5)
  })
})

describe('which initializers are parameters', () => {
  /** tanh(scale · x w + shift [1]), masked to a fill of one element. */
  const path = written(
    (() => {
      const graph = new GraphBuilder('kinds', true)
      const input = graph.input('x', 'float32', ['n', 3])
      const product = graph.matMul(
        input,
        graph.initializer('w', Tensor.from('float32', [...weights.w]).reshape([3, 2])),
      )
      const scaled = graph.mul(product, graph.initializer('logit_scale', Tensor.from('float32', 2)))
      const shifted = graph.add(scaled, graph.initializer('shift', Tensor.from('float32', [0.5])))
      const fill = graph.initializer('fill', Tensor.from('float32', [-3]))
      const masked = graph.where(
        graph.greater(shifted, graph.initializer('bound', Tensor.from('float32', [-1, 0]))),
        shifted,
        fill,
      )
      const unused = graph.mul(masked, graph.initializer('other', Tensor.from('float32', [1, 2])))
      return graph.build({ logits: masked, unused })
    })(),
  )

  it('those that the output has a gradient of; scalars only where they are named', async () => {
    const model = await AutoModel.fromOnnx(path)
    expect([...model.parameters.keys()]).toEqual(['w', 'shift'])
    const scale = await AutoModel.fromOnnx(path, { trainable: ['logit_scale', 'shift'] })
    expect(scale.definition.parameters.map(({ name, trainable }) => [name, trainable])).toEqual([
      ['w', false],
      ['logit_scale', true],
      ['shift', true],
    ])
    const batch = { x: Tensor.from('float32', [[0.1, 0.2, 0.3]]), labels: Tensor.from('int64', [1]) }
    expect([...(await compute(scale, [batch], shared)).gradients.keys()]).toEqual(['logit_scale', 'shift'])
  })

  it.each(['bound', 'fill', 'other'])('not %s, which has no gradient', async name => {
    await expect(AutoModel.fromOnnx(path, { trainable: name })).rejects.toThrow(
      `No gradient of the output goes back to "${name}"`,
    )
  })
})

it('takes scales that an exporter has joined apart again, but not weights that are shared', async () => {
  const graph = new GraphBuilder('joined', true)
  const [one, same] = [Tensor.from('float32', [1, 1, 1]), Tensor.from('float32', [1, 2, 3])]
  const [scale, shared] = [graph.initializer('n1.weight', one), graph.initializer('shared', same)]
  // an Identity's output is named as the parameter that it stood for
  graph.append({
    op: 'Identity',
    name: 'Identity_0',
    inputs: [scale],
    outputs: [{ name: 'n2.weight', dtype: 'float32', shape: [3] }],
    attributes: {},
  })
  const second = graph.nodes[0]!.outputs[0]!
  const scaled = graph.mul(graph.mul(graph.input('x', 'float32', ['n', 3]), scale), second)
  const logits = graph.add(graph.mul(scaled, shared), graph.identity(shared))
  const model = await AutoModel.fromOnnx(written(graph.build({ logits })), { loss: 'mean_squared_error' })
  expect([...model.parameters.keys()].toSorted()).toEqual(['n1.weight', 'n2.weight', 'shared'])
  expect([...model.parameter('n2.weight').data]).toEqual([1, 1, 1])
})

describe('weights in a file beside the model', () => {
  const beside = { externalThreshold: 0, externalDataName: 'weights/part 1.bin' }

  it('are read, whatever folder the process is in', async () => {
    const model = await AutoModel.fromOnnx(written(wide, beside))
    expect(model.parameter('w').data).toEqual(Float32Array.from({ length: 800 }, (_, i) => i / 8))
  })

  it('are refused where there are none, or too few, or a pointer of Git LFS', async () => {
    const folder = temporaryFolder()
    const path = written(wide, beside, folder)
    const file = join(folder, 'weights/part 1.bin')
    writeFileSync(file, new Uint8Array(10))
    await expect(AutoModel.fromOnnx(path)).rejects.toThrow(
      /model\.onnx: The tensor "w" is declared to be .* of "weights\/part 1\.bin", which has 10 bytes\./,
    )
    writeFileSync(file, `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 99\n`)
    await expect(AutoModel.fromOnnx(path)).rejects.toThrow(/part 1\.bin is a pointer of Git LFS.*99 bytes/s)
    const { model } = encode(wide, { ...beside, externalDataName: 'gone.bin' })
    writeFileSync(path, model)
    await expect(AutoModel.fromOnnx(path)).rejects.toThrow(/There is no file .*gone\.bin/)
  })

  it.each(['../weights.bin', '/etc/hostname', 'C:\\weights.bin'])('never leave its folder: %s', async name => {
    const folder = temporaryFolder()
    const path = join(folder, 'model.onnx')
    writeFileSync(path, encode(wide, { ...beside, externalDataName: name }).model)
    await expect(AutoModel.fromOnnx(path)).rejects.toThrow(/outside the model's folder/)
  })
})

it.each(['float16', 'float64'] as const)('%s becomes float32, with a warning', async dtype => {
  const model = await AutoModel.fromOnnx(written(placesGraph(dtype)), { loss: 'mean_squared_error' })
  expect(messages.join()).toMatch(new RegExp(`computes in ${dtype}: it is trained, and saved, in float32`))
  expect([...model.parameter('w').data]).toEqual(weights.w)
  const found = await compute(model, [{ x, labels: Tensor.zeros('float32', [2, 2, 2]) }], shared)
  expect(found.loss).toBeCloseTo(
    logits.flat().reduce((sum, v) => sum + v * v, 0),
    4,
  )
})
