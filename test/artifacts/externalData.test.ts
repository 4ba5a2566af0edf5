// graphs whose tensors are in files beside them: official ones, damaged ones, and those that are written here
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { tensorOf, type Written } from '../../scripts/reference/plainTensor'
import { writeGraph } from '../../src/artifacts/writeGraph'
import { readOnnxGraph } from '../../src/auto/onnxFile'
import { createEngine, GraphBuilder, Tensor, TrainingArtifacts } from '../../src/index'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

const fixture = fileURLToPath(new URL('../fixtures/onnx/artifacts-external', import.meta.url))

function copy(): string {
  const folder = temporaryFolder()
  cpSync(fixture, folder, { recursive: true })
  return folder
}

/** Replaces bytes of a file by as many others. */
function replace(file: string, from: string, to: string): void {
  const text = readFileSync(file).toString('latin1')
  expect(text).toContain(from)
  writeFileSync(file, Buffer.from(text.replace(from, to), 'latin1'))
}

describe('artifacts whose graphs have tensors in files beside them', () => {
  it('train as in the official runtime', async () => {
    const { x, labels, losses } = JSON.parse(readFileSync(join(fixture, 'case.json'), 'utf8')) as {
      readonly x: Written
      readonly labels: Written
      readonly losses: readonly number[]
    }
    const trainer = quietTrainer({
      model: await TrainingArtifacts.fromPretrained(copy()),
      args: {
        outputDir: temporaryFolder(),
        learningRate: 1e-3,
        lrSchedulerType: 'constant',
        maxSteps: losses.length,
        removeUnusedColumns: false,
        saveStrategy: 'no',
        loggingSteps: 1,
      },
      trainDataset: [{}],
      dataCollator: () => ({ x: tensorOf(x), labels: tensorOf(labels) }),
    })
    await trainer.train()
    const found = trainer.state.logHistory.flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []))
    await trainer.dispose()
    expect(found).toHaveLength(losses.length)
    for (const [i, loss] of losses.entries()) expect(found[i]).toBeCloseTo(loss, 5)
  })

  it.each(['training_model', 'eval_model'])('are refused by file and tensor where that of %s is wrong', async name => {
    const open = (folder: string): Promise<unknown> => TrainingArtifacts.fromPretrained(folder)
    const graph = `${name}.onnx`
    const short = copy()
    truncateSync(join(short, `${name}.bin`), 95)
    await expect(open(short)).rejects.toThrow(
      `${graph}: The tensor "kept" is declared to be 96 bytes at offset 0 of "${name}.bin", which has 95 bytes.`,
    )
    const outside = copy()
    replace(join(outside, graph), `${name}.bin`, `../${name.slice(3)}.bin`)
    await expect(open(outside)).rejects.toThrow(/onnx: The tensor "kept" points to .* outside the model's folder/)
    const gone = copy()
    replace(join(gone, graph), `${name}.bin`, `x${name.slice(1)}.bin`)
    await expect(open(gone)).rejects.toThrow(/x.*_model\.bin.*put it beside the model/s)
    const longer = copy()
    replace(join(longer, graph), '96', '92')
    await expect(open(longer)).rejects.toThrow(
      `${graph}: The tensor "kept" of shape float32[6, 4] needs 96 bytes, but has 92.`,
    )
  })
})

it('a graph that is too large for one file is written with FILE.data, which ONNX Runtime and we read', async () => {
  const graph = new GraphBuilder('wide')
  const weights = Float32Array.from({ length: 600 }, (_, i) => i / 8)
  const weight = graph.initializer('weight', new Tensor('float32', weights, [2, 300]))
  const file = join(temporaryFolder(), 'wide.onnx')
  await writeGraph(file, graph.build({ y: graph.matMul(graph.input('x', 'float32', ['rows', 2]), weight) }), {
    externalThreshold: 1000,
  })
  expect(readFileSync(file).length).toBeLessThan(600)
  expect((await readOnnxGraph(file)).graph.initializers.get('weight')!.data).toEqual(weights)
  const engine = await createEngine({ threads: 1 })
  const externalData = { 'wide.onnx.data': readFileSync(`${file}.data`) }
  const program = await engine.load(readFileSync(file), { externalData })
  const { y } = await program.run({ x: new Tensor('float32', Float32Array.of(1, 0), [1, 2]) })
  expect((y as Tensor).data).toEqual(weights.slice(0, 300))
  engine.dispose()
})
