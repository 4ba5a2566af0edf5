// words of the command line → what to measure
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseDevice } from '../../src/engine/deviceName'
import { nearest, TrainerError } from '../../src/errors'
import { architectures } from '../../src/models/registry'
import type { Precision } from './job'

/** The models that can be measured, by name: layers × width. */
export const shapes = {
  tiny: { layers: 2, width: 128, heads: 2 },
  minilm: { layers: 6, width: 384, heads: 12 },
  distil: { layers: 6, width: 768, heads: 12 },
  base: { layers: 12, width: 768, heads: 12 },
} as const
export type ShapeName = keyof typeof shapes

/** The ways in which Hugging Face Trainer is measured. */
export const rivals = {
  plain: { bf16: false, grouped: false },
  bf16: { bf16: true, grouped: false },
  grouped: { bf16: false, grouped: true },
  'grouped-bf16': { bf16: true, grouped: true },
} as const
export type RivalName = keyof typeof rivals

/** The columns of each task's texts. */
export const columns: Readonly<Record<string, readonly [string, string?]>> = {
  cola: ['sentence'],
  mnli: ['premise', 'hypothesis'],
  mrpc: ['sentence1', 'sentence2'],
  qnli: ['question', 'sentence'],
  qqp: ['question1', 'question2'],
  quickstart: ['sentence'],
  rte: ['sentence1', 'sentence2'],
  sst2: ['sentence'],
  stsb: ['sentence1', 'sentence2'],
  wnli: ['sentence1', 'sentence2'],
}

export interface BenchOptions {
  /** A task of GLUE, or `quickstart`: the quick start's sentences. */
  readonly task: string
  readonly shape: ShapeName
  /** The model's family, as `model_type` in its config. */
  readonly family: string
  readonly batch: number
  /** Where ts-trainer trains, as `device` of TrainingArguments. */
  readonly device: string
  readonly precision: Precision
  readonly rivals: readonly RivalName[]
  readonly rounds: number
  /** Steps that are timed in a round; five before them are not. */
  readonly steps: number
  /** The folder of GLUE; undefined for the quick start's sentences. */
  readonly data: string | undefined
  /** No task was named, and GLUE is not here. */
  readonly fallback: boolean
  /** A folder of weights and tokenizer; undefined for random weights. */
  readonly model: string | undefined
  /** Every row made so long; undefined: rows as they are, cut to 128 tokens. */
  readonly length: number | undefined
  readonly profile: boolean
  /** ts-trainer with and without gradient checkpointing, in place of rivals. */
  readonly checkpointing: boolean
  /** Training artifacts beside the official runtime, in place of Hugging Face Trainer. */
  readonly artifacts: boolean
  /** Measure the built package in `dist`, not the sources. */
  readonly built: boolean
  /** Write what is printed into docs/benchmarks.md. */
  readonly record: boolean
}

export const usage = `npm run bench -- [OPTIONS]: trains the same model from the same weights on the same rows
with ts-trainer and with Hugging Face Trainer

  --task TASK            ${Object.keys(columns).join(', ')}
                         (mrpc; without GLUE quickstart)
  --shape SHAPE          ${Object.entries(shapes)
    .map(([name, { layers, width }]) => `${name} ${layers}×${width}`)
    .join(', ')} (minilm)
  --family FAMILY        ${Object.keys(architectures).join(', ')}
                         (bert; for the shape distil distilbert)
  --batch ROWS           rows in a batch (32)
  --device DEVICE        cpu, cuda, cuda:1 or webgpu (cpu); the rival is then on PyTorch's CUDA, where there is one
  --precision PRECISION  float32, bfloat16; on a device float16 too, on cuda tf32 (float32, there without TF32)
  --rival RIVAL          ${Object.keys(rivals).join(', ')}, several with commas between, all or none (plain)
  --rounds ROUNDS        alternating rounds (5)
  --steps STEPS          steps that are timed in each, after 5 that are not (12)
  --data DIR             GLUE's folder, as on the Hub (../shared/hub/datasets/nyu-mll/glue where there is one)
  --model DIR            a folder of weights of the shape, with its tokenizer (for minilm all-MiniLM-L6-v2 in
                         ../shared/hub, where it is; otherwise random weights and bert-base-uncased's tokenizer)
  --length TOKENS        rows of so many tokens each, by repeating their own (rows as they are, cut to 128)
  --checkpointing        no rivals: with gradientCheckpointing and without, memory, time and losses;
                         the first step is not timed
  --artifacts            training artifacts, made by generateArtifacts in the official dialect: ts-trainer on the
                         stock runtime beside ONNX Runtime Training 1.19.2 (--rival none: alone)
  --profile              no rounds: one run, and where its time goes, by phase and by operator;
                         writes a trace for Chrome or Perfetto
  --built                measure the package built in dist (npm run build) instead of the sources
  --record               write what is printed into docs/benchmarks.md, in place of the same measurement's last figures

BENCH_PYTHON names the Python with transformers, or for --artifacts with onnxruntime-training-cpu; without it, python3 and python are tried.`

const hub = join(import.meta.dirname, '../../../shared/hub')
const minilm = 'models/sentence-transformers/all-MiniLM-L6-v2'

const declared = {
  task: { type: 'string' },
  shape: { type: 'string', default: 'minilm' },
  family: { type: 'string' },
  batch: { type: 'string', default: '32' },
  device: { type: 'string', default: 'cpu' },
  precision: { type: 'string', default: 'float32' },
  rival: { type: 'string' },
  rounds: { type: 'string', default: '5' },
  steps: { type: 'string', default: '12' },
  data: { type: 'string' },
  model: { type: 'string' },
  profile: { type: 'boolean', default: false },
  length: { type: 'string' },
  checkpointing: { type: 'boolean', default: false },
  artifacts: { type: 'boolean', default: false },
  built: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/**
 * What the words of the command line ask for; undefined for help.
 * @throws TrainerError naming the option and what it may be.
 */
export function parseOptions(words: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({ args: [...words], options: declared })
  if (values.help) return undefined
  if (values.device !== 'cpu' && (values.artifacts || values.checkpointing)) throw onProcessorOnly()
  const useless = (['rival', 'profile'] as const).find(option => values.checkpointing && values[option])
  if (useless !== undefined) throw uselessOption(useless)
  if (values.artifacts) checkArtifactOptions(values)
  const shape = oneOf('shape', values.shape, Object.keys(shapes) as ShapeName[])
  const family = oneOf('family', values.family ?? usualFamily(shape), Object.keys(architectures))
  const data = values.task === 'quickstart' ? undefined : (values.data ?? existing(join(hub, 'datasets/nyu-mll/glue')))
  return {
    task: taskOf(values.task, data),
    shape,
    family,
    batch: whole('batch', values.batch),
    device: values.device,
    precision: precisionOf(values.precision, values.device),
    rivals: values.checkpointing ? [] : rivalsOf(values.rival ?? 'plain', values.device),
    rounds: whole('rounds', values.rounds),
    steps: whole('steps', values.steps),
    data,
    fallback: values.task === undefined && data === undefined,
    model: values.model ?? (shape === 'minilm' && family === 'bert' ? existing(join(hub, minilm)) : undefined),
    length: values.length === undefined ? undefined : whole('length', values.length),
    profile: values.profile,
    checkpointing: values.checkpointing,
    artifacts: values.artifacts,
    built: values.built,
    record: values.record,
  }
}

/** @throws TrainerError for a precision that the device does not have. */
function precisionOf(given: string, device: string): Precision {
  const { provider } = parseDevice(device)
  const onDevice: readonly Precision[] = provider === 'cuda' ? ['float32', 'tf32', 'float16', 'bfloat16'] : ['float32', 'float16'] // prettier-ignore
  return oneOf('precision', given, provider === 'cpu' ? ['float32', 'bfloat16'] : onDevice)
}

/** @throws TrainerError for what artifacts cannot be measured with. */
function checkArtifactOptions(values: {
  readonly checkpointing: boolean
  readonly profile: boolean
  readonly precision: string
  readonly rival?: string | undefined
}): void {
  const refused = values.checkpointing ? 'checkpointing' : values.profile ? 'profile' : undefined
  const problem =
    refused !== undefined
      ? `--${refused} has no place beside --artifacts.`
      : values.precision !== 'float32'
        ? 'Artifacts are trained in float32.'
        : ![undefined, 'none'].includes(values.rival)
          ? '--artifacts has one rival, ONNX Runtime Training; --rival none leaves it out.'
          : undefined
  if (problem !== undefined) throw new TrainerError('argument', problem)
}

function onProcessorOnly(): TrainerError {
  return new TrainerError('argument', '--artifacts and --checkpointing are measured on the processor only.', {
    fix: 'Leave --device out.',
  })
}

function usualFamily(shape: ShapeName): string {
  return shape === 'distil' ? 'distilbert' : 'bert'
}

function uselessOption(option: string): TrainerError {
  return new TrainerError(
    'argument',
    `--${option} has no place beside --checkpointing, which measures ts-trainer with and without.`,
    { fix: 'Measure one, then the other.' },
  )
}

/**
 * The heading that `--record` puts over a measurement: a different one for all options other than custom files and the
 * number of rounds.
 */
export function subjectOf({
  task,
  shape,
  family,
  batch,
  device,
  precision,
  length,
  steps,
  rivals: beside,
  profile,
  checkpointing,
  artifacts,
  built,
}: BenchOptions): string {
  const rival = artifacts && beside.length > 0 ? ['ONNX Runtime Training'] : beside
  const besides = beside.length === 0 ? ' alone' : ` beside ${rival.join(' and ')}`
  const what = checkpointing ? ' with and without gradient checkpointing' : profile ? ', where the time goes' : besides
  const rows = length === undefined ? [] : [`rows of ${length} tokens`]
  const model = family === usualFamily(shape) ? [shape] : [family, shape]
  const source = [...(artifacts ? ['artifacts'] : []), ...(built ? ['built'] : [])]
  const place = device === 'cpu' ? [] : [device]
  return [task, ...model, `batch ${batch}`, ...place, precision, ...rows, ...source, `${steps} steps${what}`].join(', ')
}

function taskOf(given: string | undefined, data: string | undefined): string {
  const task = oneOf('task', given ?? (data === undefined ? 'quickstart' : 'mrpc'), Object.keys(columns))
  if (data !== undefined || task === 'quickstart') return task
  throw new TrainerError('argument', `The rows of ${task} are not here.`, {
    fix: 'Name the folder of GLUE with --data, or take --task quickstart.',
  })
}

/** On a device all have the precision that is asked for. */
function rivalsOf(given: string, device: string): RivalName[] {
  if (given === 'none') return []
  const all = Object.keys(rivals) as RivalName[]
  const known = device === 'cpu' ? all : all.filter(name => !rivals[name].bf16)
  return given === 'all' ? known : given.split(',').map(name => oneOf('rival', name, known))
}

function oneOf<Name extends string>(option: string, given: string, known: readonly Name[]): Name {
  const found = known.find(name => name === given)
  if (found !== undefined) return found
  const close = nearest(given, known)
  throw new TrainerError(
    'argument',
    `--${option} "${given}" is not known; these are: ${known.join(', ')}.`,
    close === undefined ? {} : { fix: `Did you mean "${close}"?` },
  )
}

function whole(option: string, given: string): number {
  if (/^[1-9]\d*$/.test(given)) return Number(given)
  throw new TrainerError('argument', `--${option} has to be a whole number of at least 1, not "${given}".`)
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined
}
