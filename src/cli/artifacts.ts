import {
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  generateArtifacts,
  type GenerateArtifactsOptions,
  nearest,
  type TrainableModel,
  TrainerError,
} from '../index'
import type { Streams } from './Streams'

const usage = `Usage: ts-trainer artifacts --model DIR_OR_ONNX --output DIR [FLAGS]

  Writes training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint: a model, its loss and its optimizer as files that a
  runtime trains. docs/artifacts.md says how.

  --model         a folder of a model (or its id on the Hub), or an ONNX file
  --task          the head of a folder: sequence-classification (default), token-classification, question-answering, multiple-choice, masked-lm
  --loss          cross-entropy, mse, l1, bce-with-logits; left out, the model's first output is the loss
  --optimizer     adamw or sgd; left out, no optimizer_model.onnx is written
  --trainable     a name, or the beginning of names up to a dot, of parameters that are trained; several times for several (default: as the model says)
  --frozen        the same of parameters that are kept as they are
  --additional-output, --loss-input    the name of an output; several times for several
  --output        the folder
  --prefix        what stands before the files' names
  --dialect       portable (default: ordinary operators) or onnxruntime-training
  --nominal       writes nominal_checkpoint too`

const tasks = {
  'sequence-classification': AutoModelForSequenceClassification,
  'token-classification': AutoModelForTokenClassification,
  'question-answering': AutoModelForQuestionAnswering,
  'multiple-choice': AutoModelForMultipleChoice,
  'masked-lm': AutoModelForMaskedLM,
} as const

const flags = [
  '--model',
  '--task',
  '--loss',
  '--optimizer',
  '--trainable',
  '--frozen',
  '--additional-output',
  '--loss-input',
  '--output',
  '--prefix',
  '--dialect',
  '--nominal',
  '--help',
] as const
type Flag = (typeof flags)[number]

/** `ts-trainer artifacts`: prints the paths of what it wrote. */
export async function runArtifacts(words: readonly string[], { out }: Streams): Promise<number> {
  const given = parsed(words)
  if (given.has('--help')) {
    out(usage)
    return 0
  }
  const model = needed(given, '--model')
  const folder = needed(given, '--output')
  const isFile = model.endsWith('.onnx')
  if (isFile && given.has('--task'))
    throw new TrainerError('argument', '--task says which head a folder is read with; an ONNX file has its outputs.')
  const source = isFile ? model : await modelOf(model, one(given, '--task') ?? 'sequence-classification')
  const files = await generateArtifacts(source, {
    loss: one(given, '--loss') as GenerateArtifactsOptions['loss'],
    optimizer: one(given, '--optimizer') as GenerateArtifactsOptions['optimizer'],
    requiresGrad: given.get('--trainable'),
    frozenParams: given.get('--frozen'),
    additionalOutputNames: given.get('--additional-output'),
    lossInputNames: given.get('--loss-input'),
    artifactDirectory: folder,
    prefix: one(given, '--prefix'),
    dialect: one(given, '--dialect') as GenerateArtifactsOptions['dialect'],
    nominalCheckpoint: given.has('--nominal'),
  })
  for (const path of Object.values(files) as (string | undefined)[]) if (path !== undefined) out(path)
  return 0
}

function parsed(words: readonly string[]): ReadonlyMap<Flag, readonly string[]> {
  const given = new Map<Flag, string[]>()
  const rest = words.flatMap(word =>
    /^--[\w-]+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  )
  while (rest.length > 0) {
    const word = rest.shift()!
    const flag = flags.find(known => known === (word === '-h' ? '--help' : word))
    if (flag === undefined) {
      const near = nearest(word, flags)
      throw new TrainerError('argument', `artifacts does not take '${word}'.`, {
        fix: near === undefined ? '--help lists what it takes.' : `Did you mean ${near}?`,
      })
    }
    const values = given.get(flag) ?? []
    given.set(flag, values)
    if (flag === '--nominal' || flag === '--help') continue
    const value = rest.shift()
    if (value === undefined) throw new TrainerError('argument', `${flag} needs a value.`)
    values.push(value)
  }
  return given
}

function one(given: ReadonlyMap<Flag, readonly string[]>, flag: Flag): string | undefined {
  const values = given.get(flag) ?? []
  if (values.length > 1) throw new TrainerError('argument', `${flag} was given ${values.length} times.`)
  return values[0]
}

function needed(given: ReadonlyMap<Flag, readonly string[]>, flag: Flag): string {
  const value = one(given, flag)
  if (value !== undefined) return value
  throw new TrainerError('argument', `artifacts needs ${flag}.`, { fix: '--help says what it is.' })
}

async function modelOf(folder: string, task: string): Promise<TrainableModel<unknown>> {
  if (Object.hasOwn(tasks, task)) return tasks[task as keyof typeof tasks].fromPretrained(folder)
  const near = nearest(task, Object.keys(tasks))
  throw new TrainerError('argument', `There is no task "${task}".`, {
    fix: near === undefined ? `Tasks are ${Object.keys(tasks).join(', ')}.` : `Did you mean "${near}"?`,
  })
}
