// pipelines of tiny models, and how their options are tried
import * as index from '../../src/index'
import { tinyConfig } from './tinyModel'

/** A model for each pipeline. */
const models = {
  'text-classification': index.AutoModelForSequenceClassification,
  'sentiment-analysis': index.AutoModelForSequenceClassification,
  'token-classification': index.AutoModelForTokenClassification,
  ner: index.AutoModelForTokenClassification,
  'question-answering': index.AutoModelForQuestionAnswering,
  'fill-mask': index.AutoModelForMaskedLM,
  'feature-extraction': index.AutoModel,
} satisfies Record<keyof index.Pipelines, unknown>

const types = {
  TextClassificationPipeline: 'text-classification',
  TokenClassificationPipeline: 'token-classification',
  QuestionAnsweringPipeline: 'question-answering',
  FillMaskPipeline: 'fill-mask',
  FeatureExtractionPipeline: 'feature-extraction',
} as const

export async function makePipelines(tokenizer: index.Tokenizer): Promise<index.Pipelines> {
  const made = Object.entries(models).map(async ([task, auto]) => {
    const model = auto.fromConfig(tinyConfig)
    return [task, await index.pipeline(task as 'ner', { model, tokenizer }, { threads: 1 })] as const
  })
  return Object.fromEntries(await Promise.all(made)) as unknown as index.Pipelines
}

type Call = (options: object) => unknown
type Callable = ((...given: unknown[]) => unknown) & { readonly tokenizer?: Callable }

/** How each pipeline and its tokenizer are called with options, by the names of `functionsWithOptions`. */
export function pipelineCalls(pipelineOf: (task: keyof index.Pipelines) => unknown): Record<string, Call> {
  const of = (task: keyof index.Pipelines): Callable => pipelineOf(task) as Callable
  const textsOf = (task: string): string[] => (task === 'question-answering' ? ['question', 'context'] : ['text'])
  const byType = Object.entries(types).flatMap(([type, task]): [string, Call][] => [
    [`${type}/${textsOf(task).length}`, options => of(task)(...textsOf(task), options)],
    [`${type}#tokenizer/1`, options => of(task).tokenizer!('text', options)],
    [`${type}#tokenizer/2`, options => of(task).tokenizer!('text', 'pair', options)],
  ])
  const byTask = Object.keys(models).map((task): [string, Call] => [
    `Pipelines#${task}/${textsOf(task).length}`,
    options => of(task as 'ner')(...textsOf(task), options),
  ])
  return Object.fromEntries([...byType, ...byTask])
}
