import { parseArgs } from 'node:util'
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

  Writes training_model.onnx, eval_model.onnx, optimizer_model.onnx and
  checkpoint: a model, its loss and its optimizer as files that a runtime
  trains. docs/artifacts.md in the folder of the package says how.

  --model         a folder of a model (or its id on the Hub), or an ONNX file
  --task          the head of a folder: sequence-classification (default),
                  token-classification, question-answering, multiple-choice,
                  masked-lm
  --loss          cross-entropy, mse, l1, bce-with-logits, or in full
                  (mean-squared-error, …); left out, the model's first output
                  is the loss
  --optimizer     adamw or sgd; left out, no optimizer_model.onnx is written
  --trainable     a name, or the beginning of names up to a dot, of parameters
                  that are trained; several times for several (default: as the
                  model says)
  --frozen        the same of parameters that are kept as they are
  --additional-output, --loss-input
                  the name of an output; several times for several
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

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const flags = {
  model: text,
  task: text,
  loss: text,
  optimizer: text,
  trainable: texts,
  frozen: texts,
  'additional-output': texts,
  'loss-input': texts,
  output: text,
  prefix: text,
  dialect: text,
  nominal: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** `ts-trainer artifacts`: prints the paths of what it wrote. */
export async function runArtifacts(words: readonly string[], { out }: Streams): Promise<number> {
  const given = parsed(words)
  if (given.help === true) {
    out(usage)
    return 0
  }
  const model = needed(given.model, '--model')
  const folder = needed(given.output, '--output')
  const isFile = model.endsWith('.onnx')
  if (isFile && given.task !== undefined)
    throw new TrainerError('argument', '--task says which head a folder is read with; an ONNX file has its outputs.')
  const source = isFile ? model : await modelOf(model, given.task ?? 'sequence-classification')
  const files = await generateArtifacts(source, {
    loss: given.loss as GenerateArtifactsOptions['loss'],
    optimizer: given.optimizer as GenerateArtifactsOptions['optimizer'],
    requiresGrad: given.trainable,
    frozenParams: given.frozen,
    additionalOutputNames: given['additional-output'],
    lossInputNames: given['loss-input'],
    artifactDirectory: folder,
    prefix: given.prefix,
    dialect: given.dialect as GenerateArtifactsOptions['dialect'],
    nominalCheckpoint: given.nominal,
  })
  for (const path of Object.values(files) as (string | undefined)[]) if (path !== undefined) out(path)
  return 0
}

type Given = ReturnType<typeof parseArgs<{ options: typeof flags }>>['values']

/** @throws TrainerError ('argument') for a word that it does not take, a flag without its value, or one given twice. */
function parsed(words: readonly string[]): Given {
  const { tokens } = parseArgs({
    args: [...words],
    options: flags,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const seen = new Set<string>()
  for (const token of tokens) {
    const word = token.kind === 'option' ? token.rawName : token.kind === 'positional' ? token.value : '--'
    if (token.kind !== 'option' || !Object.hasOwn(flags, token.name)) throw foreignWord(word)
    const { name, value } = token
    const isRepeated = seen.has(name) && flags[name as keyof typeof flags] === text
    seen.add(name)
    if (isRepeated) throw new TrainerError('argument', `${word} was given twice.`)
    if (value === undefined && flags[name as keyof typeof flags].type === 'string')
      throw new TrainerError('argument', `${word} needs a value.`)
  }
  try {
    return parseArgs({ args: [...words], options: flags }).values
  } catch (cause) {
    const { message } = cause as Error
    throw new TrainerError('argument', `artifacts: ${message.replace(/\.?$/, '.')}`, { cause })
  }
}

function foreignWord(word: string): TrainerError {
  const near = nearest(
    word,
    Object.keys(flags).map(name => `--${name}`),
  )
  return new TrainerError('argument', `artifacts does not take '${word}'.`, {
    fix: near === undefined ? '--help lists what it takes.' : `Did you mean ${near}?`,
  })
}

function needed(value: string | undefined, flag: string): string {
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
