// what a pipeline is made of → its model and tokenizer
import { autoModelFor } from '../auto/autoModels'
import { AutoTokenizer } from '../auto/AutoTokenizer'
import { PeftModel } from '../auto/PeftModel'
import { PreTrainedModel } from '../auto/PreTrainedModel'
import type { SourceOptions } from '../auto/sources'
import { type FolderTask, taskOfFolder } from '../auto/taskOfFolder'
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
const pipelineOf: Partial<Readonly<Record<HeadTask, NamedTask>>> = {
  'sequence-classification': 'text-classification',
  'token-classification': 'token-classification',
  'question-answering': 'question-answering',
  'masked-lm': 'fill-mask',
  'feature-extraction': 'feature-extraction',
}

/** The pipelines, each under one name. */
export type NamedTask =
  'text-classification' | 'token-classification' | 'question-answering' | 'fill-mask' | 'feature-extraction'

/** The pipeline for models of a head; there is none for some. */
export function pipelineNameOf(task: HeadTask | undefined): NamedTask | undefined {
  return task && pipelineOf[task]
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
  const what = 'processingClass' in parts ? 'a Trainer without processingClass' : 'a model, but no tokenizer'
  throw new TrainerError('argument', `${options.where} was given ${what}.`, {
    fix: 'Give the option tokenizer: a tokenizer, or the folder of one.',
  })
}

async function openFolder(folder: string, options: OpenOptions): Promise<Opened> {
  const { source, task } = options
  const folderTask = await taskOfFolder(folder, source).catch(() => undefined) // what is wrong, opening it says better
  if (folderTask !== undefined && isForAnother(folderTask, task)) throw trainedForAnother(folder, folderTask, options)
  const model = await autoModelFor<unknown>(task).fromPretrained(folder, source)
  const read = model instanceof PeftModel ? (model.base as PreTrainedModel<unknown>) : model
  if (task !== 'feature-extraction' && read.newlyInitialized.length > 0)
    throw untrained(folder, folderTask, model, options)
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

/** Whether a folder has another head, whose weights may have the same names. The encoder is taken of any. */
function isForAnother({ task: found }: FolderTask, task: Task): boolean {
  return found !== undefined && found !== task && found !== 'feature-extraction' && task !== 'feature-extraction'
}

function trainedForAnother(
  folder: string,
  { task: found, says }: FolderTask,
  { where, task }: OpenOptions,
): TrainerError {
  const name = pipelineNameOf(found)
  return new TrainerError(
    'model',
    `${where} needs a model that was trained for ${inWords(task)}, but ${folder} says ${says}.`,
    { fix: name === undefined ? 'Give another folder.' : `Use pipeline('${name}', …), or train it first.` },
  )
}

function untrained(
  folder: string,
  folderTask: FolderTask | undefined,
  model: PreTrainedModel<unknown>,
  { where, task }: OpenOptions,
): TrainerError {
  if (model instanceof PeftModel) return untrainedAdapter(folder, model.base as PreTrainedModel<unknown>, where)
  const says = folderTask?.says
  // Hugging Face's classes end so, those too that nothing here opens
  const isKnown =
    folderTask?.task !== undefined || /For(?:PreTraining|\w+(?:ification|ing|LM|Choice))$/.test(says ?? '')
  const isOwn = says !== undefined && !isKnown
  const is = says === undefined ? '' : `: its config.json says ${says}`
  const missing = quoted(model.newlyInitialized)
  return new TrainerError(
    'model',
    `${where} needs a model that was trained for ${inWords(task)}, but ${folder} lacks ${missing}${is}.`,
    {
      fix: isOwn
        ? 'A head of your own has no pipeline: open it by AutoModel.fromPretrained(folder, { head }), and call trainer.predict().'
        : 'Train it first, or give another folder.',
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

function inWords(task: HeadTask): string {
  return task.replaceAll('-', ' ').replace('masked lm', 'masked words')
}
