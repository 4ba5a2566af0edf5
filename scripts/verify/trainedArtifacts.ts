// artifacts that are made here, trained by three: ts-trainer, the official runtime and a plain ONNX Runtime
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile, writeCheckpointFile } from '../../src/artifacts/checkpointFile'
import {
  AutoModelForSequenceClassification,
  generateArtifacts,
  type GenerateArtifactsOptions,
  setLogLevel,
} from '../../src/index'
import { MersenneTwister } from '../../src/random'
import { type ArtifactCase, runArtifacts } from '../reference/artifactRun'
import { type Plain, plainOf } from '../reference/plainTensor'
import type { Check } from './Check'
import { checkpointDifference } from './checkpointDifference'

/** What a runtime in Python computed. */
interface Trained {
  readonly losses: readonly number[]
  readonly evaluation: number
}

/** Largest relative difference of losses over some updates, and of a tensor's distance, that is none. */
const lossTolerance = 1e-5
const tensorTolerance = 1e-5

const small = {
  vocab_size: 97,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  initializer_range: 0.1,
}
const miniLm = {
  vocab_size: 300,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
}

type Optimizer = NonNullable<GenerateArtifactsOptions['optimizer']>
const torch = { name: 'adamw', mode: 'torch', epsilon: 1e-8, weightDecay: 0.1, maxGradNorm: 0.5 } as const
const runs: readonly {
  readonly name: string
  readonly config: object
  readonly optimizer: Optimizer
  readonly accumulate: number
}[] = [
  { name: 'small BERT, AdamW', config: small, optimizer: 'adamw', accumulate: 1 },
  {
    name: 'small BERT, AdamW of PyTorch with clipping, 2 batches an update',
    config: small,
    optimizer: torch,
    accumulate: 2,
  },
  { name: 'small BERT, SGD', config: small, optimizer: 'sgd', accumulate: 1 },
  { name: 'small BERT, SGD with clipping', config: small, optimizer: { name: 'sgd', maxGradNorm: 0.5 }, accumulate: 2 },
  { name: 'BERT of the MiniLM shape (6 × 384), AdamW', config: miniLm, optimizer: 'adamw', accumulate: 1 },
]

/** Batches of different lengths with padding, and labels. */
function batchesOf(vocabulary: number, count: number, seed: number): Plain[][] {
  const twister = new MersenneTwister(seed)
  const below = (n: number): number => Math.floor(twister.uniform() * n)
  return Array.from({ length: count }, () => {
    const [rows, width] = [2 + below(3), 5 + below(12)]
    const lengths = Array.from({ length: rows }, (_, row) => (row === 0 ? width : 2 + below(width - 1)))
    const column = (of: (at: number, length: number) => number): Plain => ({
      shape: [rows, width],
      dtype: 'int64',
      data: lengths.flatMap(length => Array.from({ length: width }, (_, at) => of(at, length))),
    })
    return [
      column((at, length) => (at < length ? 1 + below(vocabulary - 1) : 0)),
      column((at, length) => Number(at < length)),
      column((at, length) => Number(at >= length / 2 && at < length)),
      { shape: [rows], dtype: 'int64', data: lengths.map(() => below(3)) },
    ]
  })
}

function caseOf(vocabulary: number, accumulate: number, seed: number): ArtifactCase {
  const batches = batchesOf(vocabulary, 9, seed)
  return {
    inputs: ['input_ids', 'attention_mask', 'token_type_ids', 'labels'],
    accumulate,
    steps: batches
      .slice(0, 8)
      .map((inputs, i) => ({ inputs, learning_rate: 1e-3 / (1 + Math.floor(i / accumulate)), loss: NaN })),
    evaluation: { inputs: batches[8]!, loss: NaN },
    parameters: {},
  }
}

async function inPython(python: string, script: string, ...words: string[]): Promise<string> {
  const env = { ...process.env, OMP_NUM_THREADS: '1' }
  return (await promisify(execFile)(python, [join(import.meta.dirname, script), ...words], { maxBuffer: 2 ** 30, env }))
    .stdout
}

/** Why a Python cannot be used; undefined where it can. */
async function lacks(python: string, module: string): Promise<string | undefined> {
  const result = await promisify(execFile)(python, ['-c', `import ${module}`]).catch((error: Error) => error)
  return result instanceof Error ? `${python} has no ${module}` : undefined
}

function lossDifference(ours: Trained, theirs: Trained): number {
  const pairs = [
    ...ours.losses.map((loss, i) => [loss, theirs.losses[i]!] as const),
    [ours.evaluation, theirs.evaluation] as const,
  ]
  return Math.max(...pairs.map(([own, other]) => Math.abs(own - other) / Math.abs(other)))
}

/** What is compared, and how far it is apart. */
type Report = (what: string, difference: number, tolerance: number) => void

async function tryRun(
  run: (typeof runs)[number],
  pythons: Pythons,
  work: string,
  seed: number,
  report: Report,
): Promise<void> {
  const { config, optimizer, accumulate } = run
  const model = AutoModelForSequenceClassification.fromConfig(
    { model_type: 'bert', max_position_embeddings: 40, ...config },
    { numLabels: 3, seed },
  )
  const [official, portable] = [join(work, 'official'), join(work, 'portable')]
  const shared = { loss: 'cross-entropy', optimizer } as const
  await generateArtifacts(model, { ...shared, dialect: 'onnxruntime-training', artifactDirectory: official })
  await generateArtifacts(model, { ...shared, artifactDirectory: portable })
  const oracle = caseOf((config as typeof small).vocab_size, accumulate, seed)
  const batches = writePlan(oracle, work)
  for (const [dialect, folder] of [
    ['official', official],
    ['portable', portable],
  ] as const) {
    const computed = await runArtifacts(folder, oracle, work)
    const ours: Trained = { losses: computed.steps.map(({ loss }) => loss), evaluation: computed.evaluation.loss }
    if (dialect === 'portable' && pythons.plain !== undefined)
      await againstPlain(pythons.plain, { folder, batches, work }, ours, report)
    if (dialect === 'official' && pythons.official !== undefined)
      await againstOfficial(pythons.official, { folder, batches, work }, ours, computed.checkpoint, report)
  }
}

/** What Python is to train on: the path of the file. */
function writePlan({ accumulate, steps, evaluation }: ArtifactCase, work: string): string {
  const plan = {
    accumulate,
    rates: steps.map(step => step.learning_rate),
    batches: steps.map(({ inputs }) => inputs),
    evaluation: evaluation.inputs,
  }
  const path = join(work, 'batches.json')
  writeFileSync(path, JSON.stringify(plan))
  return path
}

interface Places {
  readonly folder: string
  readonly batches: string
  readonly work: string
}

async function againstPlain(
  python: string,
  { folder, batches, work }: Places,
  ours: Trained,
  report: Report,
): Promise<void> {
  const values = join(work, 'values.json')
  const { trained, frozen } = await readCheckpointFile(join(folder, 'checkpoint'))
  const plain = Object.fromEntries([...trained, ...frozen].map(([name, tensor]) => [name, plainOf(tensor)]))
  writeFileSync(values, JSON.stringify(plain))
  const theirs = JSON.parse(await inPython(python, 'trainPortable.py', folder, batches, values)) as Trained
  report('losses of plain ONNX Runtime in ordinary operators', lossDifference(ours, theirs), lossTolerance)
}

async function againstOfficial(
  python: string,
  { folder, batches, work }: Places,
  ours: Trained,
  checkpoint: Checkpoint,
  report: Report,
): Promise<void> {
  const [after, again, written] = [join(work, 'after'), join(work, 'again'), join(work, 'written')]
  const train = async (...words: string[]): Promise<Trained> =>
    JSON.parse(await inPython(python, 'trainOfficial.py', folder, batches, ...words)) as Trained
  report('losses of the official runtime', lossDifference(ours, await train(after)), lossTolerance)
  report(
    'checkpoint, parameters and moments',
    checkpointDifference(checkpoint, await readCheckpointFile(after)),
    tensorTolerance,
  )
  await writeCheckpointFile(written, await readCheckpointFile(after))
  const goesOn = lossDifference(await train(again, '', written), await train(again, '', after))
  report('its checkpoint, read and written here, in the official runtime', goesOn, 1e-6) // its threads add in any order
}

interface Pythons {
  readonly official: string | undefined
  readonly plain: string | undefined
}

/** Runs the program of docs/artifacts.md. */
async function runDocument(python: string, work: string): Promise<string[]> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/artifacts.md'), 'utf8')
  const program = /^```python\n([^]*?)^```$/m.exec(page)![1]!
  const model = AutoModelForSequenceClassification.fromConfig(
    { model_type: 'bert', max_position_embeddings: 40, ...small },
    { numLabels: 2 },
  )
  await generateArtifacts(model, {
    loss: 'cross-entropy',
    optimizer: 'adamw',
    artifactDirectory: join(work, 'artifacts'),
  })
  writeFileSync(join(work, 'program.py'), program)
  const { stdout } = await promisify(execFile)(python, ['program.py'], { cwd: work })
  return stdout.trim().split('\n')
}

async function documentLearns(python: string, work: string, print: (line: string) => void): Promise<boolean> {
  const lines = await runDocument(python, work)
  const losses = lines.map(line => Number(line.split(' ')[1]))
  const learns = losses.length === 5 && losses[4]! < losses[0]!
  print(`${learns ? 'runs' : 'FAILS'}: the program of docs/artifacts.md: ${lines.join(', ')}`)
  return learns
}

export const trainedArtifacts: Check = {
  does: 'Makes artifacts of BERTs in both dialects; ts-trainer, the official runtime and a plain ONNX Runtime train them to the same losses and checkpoints.',
  needs:
    'CPython up to 3.12 with onnxruntime-training-cpu 1.19.2 (--python PATH), and one with onnxruntime (--plain-python PATH); one that is missing is skipped',
  takes: 'about three minutes',
  options: '[--python PATH (python3)] [--plain-python PATH (python3)] [--seed N (1)]',
  async run(options, print) {
    const text = { type: 'string', default: 'python3' } as const
    const { values } = parseArgs({
      args: [...options],
      options: { python: text, 'plain-python': text, seed: { type: 'string', default: '1' } },
    })
    setLogLevel('error')
    const missing = {
      official: await lacks(values.python, 'onnxruntime.training.api'),
      plain: await lacks(values['plain-python'], 'onnxruntime'),
    }
    for (const [name, why] of Object.entries(missing))
      if (why !== undefined) print(`skipped, the ${name} runtime: ${why}`)
    const pythons = {
      official: missing.official === undefined ? values.python : undefined,
      plain: missing.plain === undefined ? values['plain-python'] : undefined,
    }
    const work = mkdtempSync(join(tmpdir(), 'artifacts-'))
    let failed = 0
    try {
      for (const [i, run] of runs.entries()) {
        const folder = join(work, String(i))
        mkdirSync(folder)
        await tryRun(run, pythons, folder, Number(values.seed) + i, (what, difference, tolerance) => {
          const isSame = difference <= tolerance
          if (!isSame) failed++
          print(`${isSame ? 'same' : 'APART'}: ${run.name}: ${what}: ${difference.toExponential(1)}`)
        })
      }
      if (pythons.plain !== undefined && !(await documentLearns(pythons.plain, work, print))) failed++
      print(failed === 0 ? 'all the same' : `${failed} apart`)
      return failed === 0
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  },
}
