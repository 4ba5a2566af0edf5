// texts in, answers out: a trained model as a function
import { type SourceOptions, sourceOptionNames } from '../auto/sources'
import { createEngine, type EngineOptions } from '../engine/Engine'
import { nearest, TrainerError } from '../errors'
import { checkOptions, refuseArguments, shown } from '../options'
import type { Tokenizer } from '../tokenizers/tokenizer'
import { takeTurns } from '../turns'
import { featureExtraction, type FeatureExtractionOptions, type FeatureExtractionPipeline } from './featureExtraction'
import { fillMask, type FillMaskOptions, type FillMaskPipeline } from './fillMask'
import { openModel, type Opened, type PipelineModel } from './openModel'
import type { PipelineMembers } from './PipelineMembers'
import type { Encoded, PipelineTask, TaskContext } from './PipelineTask'
import { Predictor } from './Predictor'
import { questionAnswering, type QuestionAnsweringOptions, type QuestionAnsweringPipeline } from './questionAnswering'
import { checkCount, nameOf } from './reading'
import {
  textClassification,
  type TextClassificationOptions,
  type TextClassificationPipeline,
} from './textClassification'
import {
  tokenClassification,
  type TokenClassificationOptions,
  type TokenClassificationPipeline,
} from './tokenClassification'

/** The pipelines, by the names of their tasks. */
export interface Pipelines {
  'text-classification': TextClassificationPipeline
  'sentiment-analysis': TextClassificationPipeline
  'token-classification': TokenClassificationPipeline
  ner: TokenClassificationPipeline
  'question-answering': QuestionAnsweringPipeline
  'fill-mask': FillMaskPipeline
  'feature-extraction': FeatureExtractionPipeline
}

/** Options of {@link pipeline}: where a model is taken from, and on what it is computed. */
export interface PipelineOptions extends SourceOptions, Pick<EngineOptions, (typeof engineOptionNames)[number]> {
  /** A tokenizer, or the folder or id of one; by default that of the model's folder, or the Trainer's. */
  readonly tokenizer?: string | Tokenizer
  /** The most texts (of long ones, windows) that are computed together. Default 32. */
  readonly batchSize?: number
}

const engineOptionNames = ['device', 'library', 'threads', 'spinning', 'providerOptions', 'pluginLibrary'] as const
const optionNames = ['tokenizer', 'batchSize', ...engineOptionNames, ...sourceOptionNames]

const callOptionNames: readonly (
  | keyof TextClassificationOptions
  | keyof TokenClassificationOptions
  | keyof QuestionAnsweringOptions
  | keyof FillMaskOptions
  | keyof FeatureExtractionOptions
)[] = [
  ...(['topK', 'functionToApply', 'aggregationStrategy', 'ignoreLabels', 'isSplitIntoWords', 'delimiter'] as const),
  ...(['stride', 'docStride', 'maxSeqLen', 'maxAnswerLen', 'handleImpossibleAnswer'] as const),
  ...(['alignToWords', 'targets', 'pooling', 'normalize'] as const),
]

/** Some task, whatever it takes and answers. */
type AnyTask = PipelineTask<unknown, unknown, Encoded, unknown>

/** What makes the task of each name for a model; heads are known before there is one. */
const tasks = {
  'text-classification': { head: 'sequence-classification', make: textClassification },
  'sentiment-analysis': { head: 'sequence-classification', make: textClassification },
  'token-classification': { head: 'token-classification', make: tokenClassification },
  ner: { head: 'token-classification', make: tokenClassification },
  'question-answering': { head: 'question-answering', make: questionAnswering },
  'fill-mask': { head: 'masked-lm', make: fillMask },
  'feature-extraction': { head: 'feature-extraction', make: featureExtraction },
} as const satisfies Record<keyof Pipelines, unknown>

/**
 * A trained model as a function from texts to answers, in the shapes of transformers.js, with options in camelCase. The
 * weights are those that the model has now. Calls that come in together are computed together, up to `batchSize` texts,
 * and each is answered as if it were alone.
 * @param task 'text-classification' ('sentiment-analysis'), 'token-classification' ('ner'), 'question-answering',
 * 'fill-mask' or 'feature-extraction'.
 * @param model a folder or an id of the Hub, of an adapter too; a Trainer; or a model, with the option `tokenizer`.
 * @throws TrainerError ('argument') for a task that there is not and for options that it does not have; ('model') for a
 * model with another head, or one that was not trained; as `fromPretrained` does for files, and `createEngine` for devices.
 *
 * @example
 * const classify = await pipeline('text-classification', './my-model')
 * await classify('Not bad at all.') // [{ label: 'POSITIVE', score: 0.98 }]
 * await classify.dispose()
 */
export async function pipeline<Name extends keyof Pipelines>(
  task: Name,
  model: PipelineModel,
  options: PipelineOptions = {},
  ...extra: readonly never[]
): Promise<Pipelines[Name]> {
  const where = `pipeline('${String(task)}')`
  if (!Object.hasOwn(tasks, task)) throw unknownTask(task)
  refuseArguments(extra, `${where}, beside a model and options,`)
  refuseCallOptions(options)
  checkOptions(options, optionNames, 'pipeline()')
  const { batchSize = 32, tokenizer } = options
  checkCount(batchSize, 'batchSize')
  const { head, make } = tasks[task]
  const engineOptions = pick(options, engineOptionNames) as EngineOptions
  const source = pick(options, sourceOptionNames as readonly (keyof SourceOptions)[])
  const opened = await openModel(model, { where, task: head, tokenizer, source })
  const made = make(contextOf(where, opened)) as unknown as AnyTask
  const { judges } = made
  const predictor = await Predictor.create(opened.model, await createEngine(engineOptions), { batchSize, judges })
  const members: PipelineMembers = {
    task,
    tokenizer: opened.tokenizer,
    dispose: () => predictor.dispose(),
  }
  return Object.assign(callable(made, predictor, where), members) as unknown as Pipelines[Name]
}

/** In transformers.js and Python the options of calls may be given here, too. */
function refuseCallOptions(options: object): void {
  const name = Object.keys(options ?? {}).find(key => (callOptionNames as readonly string[]).includes(key))
  if (name === undefined) return
  throw new TrainerError('argument', `pipeline() has no option "${name}": it is one of the calls.`, {
    fix: `Give it to each call: await classify(text, { ${name}: … }).`,
  })
}

function unknownTask(task: unknown): TrainerError {
  const names = Object.keys(tasks)
  const near = typeof task === 'string' ? nearest(task, names) : undefined
  return new TrainerError('argument', `There is no pipeline ${shown(task)}; there are ${names.join(', ')}.`, {
    ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
  })
}

/** What was given of these options. */
function pick<Options extends object>(options: Options, names: readonly (keyof Options)[]): Partial<Options> {
  const given = names.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]] as const]))
  return Object.fromEntries(given) as Partial<Options>
}

function contextOf(where: string, { model, tokenizer }: Opened): TaskContext {
  return {
    where,
    tokenizer,
    config: model.config,
    width: model.definition.head.width,
    get maxLength() {
      return Math.min(tokenizer.modelMaxLength, model.maxPositions)
    },
  }
}

/** The function that a pipeline is: encodes what it is given, has it computed, and reads the answers. */
function callable(task: AnyTask, predictor: Predictor, where: string): (...given: unknown[]) => Promise<unknown> {
  return async (...given) => {
    refuseArguments(given.slice(task.arity + 1), `${where}, beside its options,`)
    const options = task.options(given[task.arity] as object | undefined)
    const { items, isList } = task.read(given.slice(0, task.arity), options)
    const turns = takeTurns()
    const encoded: Encoded[] = []
    for (const [at, item] of items.entries()) {
      encoded.push(task.encode(item, options, nameOf(task.arity === 2 ? 'question' : 'text', at, isList)))
      await turns()
    }
    const predictions = await predictor.predict(encoded.flatMap(({ rows }) => rows))
    let first = 0
    const answers: unknown[] = []
    for (const one of encoded) {
      const own = predictions.slice(first, (first += one.rows.length))
      answers.push(task.decode(one, own, options))
      await turns()
    }
    return task.collect(answers, isList, options)
  }
}
