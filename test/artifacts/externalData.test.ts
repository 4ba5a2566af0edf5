// graphs whose tensors are in files beside them: official ones, damaged ones, and those that are written here
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { tensorOf, type Written } from '../../scripts/reference/plainTensor'
import { writeGraph } from '../../src/artifacts/writeGraph'
import { readOnnxGraph } from '../../src/auto/onnxFile'
import { withFilesBeside } from '../../src/files/externalData'
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

describe('tensors that name one region of a file', () => {
  /** A graph with `count` tensors of 3000 bytes each in a file beside it, which are then said to be where `placeOf` says. */
  async function naming(count: number, placeOf: (at: number) => number): Promise<string> {
    const graph = new GraphBuilder('tied')
    const sums = Array.from({ length: count }, (_, i) =>
      graph.initializer(`w${i}`, new Tensor('float32', new Float32Array(750).fill(i), [750])),
    ).reduce((sum, weight) => graph.add(sum, weight))
    const file = join(temporaryFolder(), 'tied.onnx')
    await writeGraph(file, graph.build({ y: graph.mul(graph.input('x', 'float32', ['rows', 750]), sums) }), {
      externalThreshold: 1000,
    })
    let at = 0
    // the value of an entry: its field, its length, its text
    const text = readFileSync(file).toString('latin1')
    const moved = text.replaceAll(/(offset..)(\d+)/gs, (_, head: string, digits: string) => {
      const place = String(placeOf(at++))
      return head + (place.length > digits.length ? digits : place.padStart(digits.length, '0'))
    })
    expect(at).toBe(count)
    writeFileSync(file, Buffer.from(moved, 'latin1'))
    return file
  }

  it('have the bytes of one copy', async () => {
    const { graph } = await readOnnxGraph(await naming(12, () => 0))
    expect(graph.initializers.size).toBe(12)
    expect(new Set([...graph.initializers.values()].map(({ data }) => data.buffer)).size).toBe(1)
    expect([...graph.initializers.values()].every(({ data }) => data[5] === 0)).toBe(true)
  })

  it('are refused where regions overlap, before what they come to is read', async () => {
    const file = await naming(12, at => at)
    truncateSync(`${file}.data`, 4000)
    await expect(readOnnxGraph(file)).rejects.toThrow(
      /tied\.onnx: The tensors that name parts of .*tied\.onnx\.data come to 6000 bytes at byte .*, but it has 4000: so that some overlap\./,
    )
  })

  it('are refused where they come to many times the file', async () => {
    const file = await naming(40, () => 0)
    // as if each were of 40 MB: the length of the file, and no byte of memory
    const size = 40_000_000
    truncateSync(`${file}.data`, size)
    const used = process.memoryUsage().arrayBuffers
    const read = (): unknown =>
      withFilesBeside(file, open => Array.from({ length: 40 }, () => open('tied.onnx.data').subarray(0, size)))
    expect(read).toThrow(
      /tied\.onnx\.data come to 680000000 bytes at byte 0, but it has 40000000: one region again and again\./,
    )
    expect(process.memoryUsage().arrayBuffers - used).toBeLessThan(3 * size)
  })
})
