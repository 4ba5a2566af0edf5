/**
 * The memory that a Trainer says training takes, beside what it takes: three shapes of BERT by two sizes of batches, each
 * in a process of its own on the processor.
 *
 * Measured is what the system counts as resident at the most (VmHWM), less what it counts in a process that trains a model
 * 8 wide in its place: Node, ONNX Runtime, threads. Memory that ONNX Runtime's arena has reserved and never written to
 * does not count as resident.
 *
 * Run: npx tsx scripts/memory/measure.ts [--only SHAPE]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  AutoModelForSequenceClassification,
  Dataset,
  type MemoryReport,
  setLogSink,
  Tensor,
  Trainer,
} from '../../src/index'
import { peakMemory } from '../bench/peakMemory'

const shapes = {
  small: { hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 2, intermediate_size: 512, length: 256 },
  minilm: { hidden_size: 384, num_hidden_layers: 6, num_attention_heads: 12, intermediate_size: 1536, length: 128 },
  wide: { hidden_size: 512, num_hidden_layers: 4, num_attention_heads: 8, intermediate_size: 2048, length: 384 },
} as const
type Shape = keyof typeof shapes

/** What a process has measured. */
interface Measured {
  readonly report: MemoryReport
  readonly peak: number
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)

function trainerOf(shape: Shape, rowsOrNone: number, outputDir: string, tiny = false): Trainer {
  const rows = rowsOrNone || 2
  const { length, ...sizes } = shapes[shape]
  const own = tiny ? { hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 12 } : sizes
  const config = { model_type: 'bert', vocab_size: tiny ? 100 : 20000, max_position_embeddings: 512, ...own }
  const data = Array.from({ length: rows * 3 }, (_, row) => {
    const ids = Array.from({ length: tiny ? 4 : length - (row % 7) }, (_, at) => 1 + ((row * 7 + at * 11) % 99))
    return { input_ids: ids, attention_mask: ids.map(() => 1), label: row % 2 }
  })
  const args = { outputDir, perDeviceTrainBatchSize: rows, maxSteps: 3, saveStrategy: 'no', disableTqdm: true } as const
  const model = AutoModelForSequenceClassification.fromConfig(config, { numLabels: 2 })
  return new Trainer({ model, args, trainDataset: Dataset.fromRows(data), dataCollator: padded })
}

const padded: NonNullable<ConstructorParameters<typeof Trainer>[0]['dataCollator']> = given => {
  const rows = given as readonly { input_ids: number[]; label: number }[]
  const longest = Math.max(...rows.map(({ input_ids: ids }) => ids.length))
  const fill = (of: (row: (typeof rows)[number]) => number[]): Int32Array =>
    Int32Array.from(rows.flatMap(row => [...of(row), ...new Array<number>(longest - row.input_ids.length).fill(0)]))
  const dims = [rows.length, longest]
  return {
    input_ids: new Tensor(
      'int32',
      fill(row => row.input_ids),
      dims,
    ),
    attention_mask: new Tensor(
      'int32',
      fill(row => row.input_ids.map(() => 1)),
      dims,
    ),
    labels: new Tensor('int32', Int32Array.from(rows.map(({ label }) => label)), [rows.length]),
  }
}

async function measure(shape: Shape, rows: number, outputDir: string): Promise<Measured> {
  setLogSink(() => undefined)
  const first = trainerOf(shape, 2, outputDir, true)
  await first.train()
  await first.dispose()
  const trainer = trainerOf(shape, rows, outputDir, rows === 0)
  const report = await trainer.memoryReport()
  await trainer.train()
  return { report, peak: peakMemory() }
}

function measureElsewhere(shape: Shape, rows: number): Measured {
  const outputDir = mkdtempSync(join(tmpdir(), 'memory-'))
  const command = ['--import', 'tsx', fileURLToPath(import.meta.url), shape, String(rows), outputDir]
  const { stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '../..'),
  })
  rmSync(outputDir, { recursive: true })
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured
  } catch {
    throw new Error(stderr)
  }
}

const [shape, rows, outputDir] = process.argv.slice(2)
if (outputDir !== undefined) console.log(JSON.stringify(await measure(shape as Shape, Number(rows), outputDir)))
else {
  console.log(
    'shape  rows  said MiB (parameters gradients slots batch activations unused loaded)  measured MiB  said / measured',
  )
  const before = measureElsewhere('small', 0).peak
  for (const name of Object.keys(shapes) as Shape[]) {
    for (const size of [8, 16]) {
      const { report, peak } = measureElsewhere(name, size)
      const { total, ...parts } = report
      const shown = Object.values(parts).map(mebibytes).join(' ')
      const taken = peak - before
      console.log(`${name} ${size} ${mebibytes(total)} (${shown}) ${mebibytes(taken)} ${(total / taken).toFixed(3)}`)
    }
  }
}
