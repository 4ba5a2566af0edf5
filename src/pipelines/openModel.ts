// what a pipeline is made of → its model and tokenizer
import { autoModelFor } from '../auto/autoModels'
import { AutoTokenizer } from '../auto/AutoTokenizer'
import { PeftModel } from '../auto/PeftModel'
import { PreTrainedModel } from '../auto/PreTrainedModel'
import type { SourceOptions } from '../auto/sources'
import { AutoConfig } from '../auto/AutoConfig'
import { quoted, TrainerError } from '../errors'
import type { Task, HeadTask } from '../heads/Head'
import { shown } from '../options'
import { NoTokenizer } from '../tokenizers/NoTokenizer'
import type { Tokenizer } from '../tokenizers/tokenizer'

/** A model with its tokenizer, as a Trainer has both. */
export interface ModelWithTokenizer {
  readonly model: object
  readonly processingClass?: Tokenizer | undefined
  readonly tokenizer?: Tokenizer | undefined
}

/** What a pipeline is made of: a folder or an id of the Hub, a Trainer, a model, or a model with its tokenizer. */
export type PipelineModel = string | PreTrainedModel<unknown> | ModelWithTokenizer

/** A model that is there, and what goes before it. */
export interface Opened {
  readonly model: PreTrainedModel<unknown>
  readonly tokenizer: Tokenizer
}

/** What opening is told. */
export interface OpenOptions {
  /** What is called, for errors. */
  readonly where: string
  readonly task: Task
  readonly tokenizer: string | Tokenizer | undefined
  readonly source: SourceOptions
}

/** What pipelines are called, by the heads of their models. */
const pipelineOf: Partial<Readonly<Record<HeadTask, string>>> = {
  'sequence-classification': 'text-classification',
  'token-classification': 'token-classification',
  'question-answering': 'question-answering',
  'masked-lm': 'fill-mask',
  'feature-extraction': 'feature-extraction',
}

/**
 * The model and the tokenizer, loaded where they are named.
 * @throws TrainerError ('model') for a model with another head, or a folder whose head was never trained.
 */
export async function openModel(given: PipelineModel, options: OpenOptions): Promise<Opened> {
  if (typeof given === 'string') return openFolder(given, options)
  const parts = given instanceof PreTrainedModel ? { model: given } : given
  const model: unknown = parts?.model
  if (!(model instanceof PreTrainedModel)) throw noModel(options.where, model === undefined ? given : model)
  checkHead(model as PreTrainedModel<unknown>, options)
  refuseSource(options)
  const own = 'processingClass' in parts ? parts.processingClass : 'tokenizer' in parts ? parts.tokenizer : undefined
  const tokenizer = options.tokenizer ?? own
  if (tokenizer !== undefined) return { model, tokenizer: await loadTokenizer(tokenizer, options.source) }
  throw new TrainerError('argument', `${options.where} was given a model, but no tokenizer.`, {
    fix: 'Give the option tokenizer: a tokenizer, or the folder of one.',
  })
}

async function openFolder(folder: string, options: OpenOptions): Promise<Opened> {
  const { source, task } = options
  const model = await autoModelFor<unknown>(task).fromPretrained(folder, source)
  const read = model instanceof PeftModel ? (model.base as PreTrainedModel<unknown>) : model
  if (task !== 'feature-extraction' && read.newlyInitialized.length > 0) throw await untrained(folder, model, options)
  if (options.tokenizer !== undefined) {
    const { revision: _, subfolder: _folder, ...rest } = source // those of the model
    return { model, tokenizer: await loadTokenizer(options.tokenizer, rest) }
  }
  return { model, tokenizer: await ownTokenizer(folder, model, source) }
}

/** Where a model that is there would be loaded from counts for nothing, unless a tokenizer is loaded. */
function refuseSource({ where, source, tokenizer }: OpenOptions): void {
  const loadsTokenizer = typeof tokenizer === 'string'
  const given = Object.keys(source).find(name => !loadsTokenizer || name === 'revision' || name === 'subfolder')
  if (given === undefined) return
  throw new TrainerError('argument', `${where} was given ${given}, but a model that is there already.`, {
    fix: 'It says where a model is loaded from: leave it out, or load the tokenizer with it by AutoTokenizer.fromPretrained.',
  })
}

/** The tokenizer of a model's folder; that of an adapter may be with its base. */
async function ownTokenizer(
  folder: string,
  model: PreTrainedModel<unknown>,
  source: SourceOptions,
): Promise<Tokenizer> {
  try {
    return await loadTokenizer(folder, source)
  } catch (error) {
    const base = model instanceof PeftModel ? (model.base as PreTrainedModel<unknown>) : undefined
    const name = base?.repository ?? base?.nameOrPath
    if (name === undefined || !(error instanceof NoTokenizer)) throw error
    const { subfolder: _, ...rest } = source
    return loadTokenizer(name, { ...rest, revision: base!.revision })
  }
}

async function loadTokenizer(tokenizer: string | Tokenizer, source: SourceOptions): Promise<Tokenizer> {
  if (typeof tokenizer === 'string') return AutoTokenizer.fromPretrained(tokenizer, source)
  if (typeof tokenizer === 'function') return tokenizer
  throw new TrainerError('argument', `tokenizer is ${shown(tokenizer)}; a tokenizer or a folder was expected.`)
}

function noModel(where: string, given: unknown): TrainerError {
  return new TrainerError(
    'argument',
    `${where} is made of a folder, an id, a Trainer or a model, not of ${shown(given)}.`,
    {
      fix: 'Give a model of an AutoModelFor… class, or a folder that one was saved in.',
    },
  )
}

function checkHead({ definition }: PreTrainedModel<unknown>, { where, task }: OpenOptions): void {
  const found = definition.head.task
  if (found === task) return
  const other = pipelineOf[found]
  const save = task === 'feature-extraction' ? 'Save it, and give the folder: its encoder is taken' : undefined
  const use = other === undefined ? undefined : `Use pipeline('${other}', …)`
  const fixes = [save, use].filter(fix => fix !== undefined)
  throw new TrainerError(
    'model',
    `${where} needs a model for ${inWords(task)}, but ${definition.name} is one for ${inWords(found)}.`,
    {
      ...(fixes.length > 0 && { fix: `${fixes.join('; or use another: ')}.` }),
    },
  )
}

async function untrained(
  folder: string,
  model: PreTrainedModel<unknown>,
  { where, task, source }: OpenOptions,
): Promise<TrainerError> {
  if (model instanceof PeftModel) return untrainedAdapter(folder, model.base as PreTrainedModel<unknown>, where)
  const missing = model.newlyInitialized
  const { architectures } = await AutoConfig.fromPretrained(folder, source).catch(
    () => ({}) as { architectures?: unknown },
  )
  const names = Array.isArray(architectures) ? architectures.map(String) : []
  const other = Object.keys(suffixes).find(name => names.some(one => one.endsWith(suffixes[name]!)))
  const found = other === pipelineOf[task] ? undefined : other
  const isOwn =
    names.length > 0 && !names.some(name => /Model$|ForPreTraining$|For[A-Z]\w+(ification|ing|LM|Choice)$/.test(name))
  const is = names.length === 0 ? '' : `: its config.json says ${names.join(', ')}`
  return new TrainerError(
    'model',
    `${where} needs a model that was trained for ${inWords(task)}, but ${folder} lacks ${quoted(missing)}${is}.`,
    {
      fix:
        found === undefined
          ? isOwn
            ? 'A head of your own has no pipeline: open it by AutoModel.fromPretrained(folder, { head }), and call trainer.predict().'
            : 'Train it first, or give another folder.'
          : `Use pipeline('${found}', …), or train it first.`,
    },
  )
}

/** An adapter of Python's does not have parts of a head that PEFT saves only when it is told to. */
function untrainedAdapter(folder: string, { newlyInitialized }: PreTrainedModel<unknown>, where: string): TrainerError {
  const modules = [...new Set(newlyInitialized.map(name => name.slice(0, name.lastIndexOf('.'))))]
  return new TrainerError(
    'model',
    `${where}: neither the adapter ${folder} nor its base has ${quoted(newlyInitialized)}, which its predictions need.`,
    {
      fix: `Train the adapter again, in Python with modules_to_save=[${quoted(modules)}]: here they are saved with it.`,
    },
  )
}

/** How Python's classes end whose folders a pipeline opens. */
const suffixes: Readonly<Record<string, string>> = {
  'text-classification': 'ForSequenceClassification',
  'token-classification': 'ForTokenClassification',
  'question-answering': 'ForQuestionAnswering',
  'fill-mask': 'ForMaskedLM',
}

function inWords(task: HeadTask): string {
  return task.replaceAll('-', ' ').replace('masked lm', 'masked words')
}
