import { TrainerError } from '../errors'
import { withDefaults } from '../options'
import type { Tensor } from '../tensor'
import type { Encoding } from '../tokenizers/encoding'
import type { Encoded, Items, PipelineTask, TaskContext } from './PipelineTask'
import type { PipelineMembers } from './PipelineMembers'
import { highest, sigmoid, softmax } from '../probabilities'
import { checkChoice, checkCount, cutting, labelNames, notTexts, rowOf } from './reading'

/** A text with a second one. */
export interface TextPair {
  readonly text: string
  readonly text_pair: string
}

/** What text classification takes: a text or a pair. */
export type ClassifiedText = string | TextPair

/** A label, and how sure the model is of it: of a regression, the number itself. */
export interface LabelScore {
  readonly label: string
  readonly score: number
}

const functions = ['softmax', 'sigmoid', 'none'] as const

/** Options of a {@link TextClassificationPipeline}. */
export interface TextClassificationOptions {
  /** How many labels are named, the likeliest first; null for all. Default 1. */
  readonly topK?: number | null
  /**
   * What makes scores of the logits. Default by the config's `problem_type` and labels: nothing for a regression, sigmoid
   * for several labels at once and for a single one, else softmax.
   */
  readonly functionToApply?: (typeof functions)[number]
}

/** Classes, or numbers, for texts. */
export interface TextClassificationPipeline extends PipelineMembers {
  (text: ClassifiedText, options?: TextClassificationOptions): Promise<LabelScore[]>
  (
    texts: readonly (ClassifiedText | readonly [string, string])[],
    options?: TextClassificationOptions & { readonly topK?: 1 },
  ): Promise<LabelScore[]>
  (
    texts: readonly (ClassifiedText | readonly [string, string])[],
    options: TextClassificationOptions & { readonly topK: null },
  ): Promise<LabelScore[][]>
  (
    texts: readonly (ClassifiedText | readonly [string, string])[],
    options: TextClassificationOptions,
  ): Promise<LabelScore[] | LabelScore[][]>
}

type Options = Required<TextClassificationOptions>

/** A text, or a pair. */
type Item = readonly [string, string?]

/** Text classification as Python's pipeline of that name does it. */
export function textClassification(context: TaskContext): PipelineTask<Item, Options, Encoded, LabelScore[]> {
  const { where, tokenizer } = context
  const names = labelNames(context)
  return {
    head: 'sequence-classification',
    judges: 'all',
    arity: 1,
    read: ([given]) => readPairs(where, given),
    options(given) {
      const defaults: { topK: number | null; functionToApply: TextClassificationOptions['functionToApply'] } = {
        topK: 1,
        functionToApply: undefined,
      }
      const options = withDefaults(given, defaults, where)
      checkCount(options.topK, 'topK', true)
      const { topK, functionToApply = usualFunction(context) } = options
      checkChoice(functionToApply, 'functionToApply', functions)
      return { topK, functionToApply }
    },
    encode([text, pair], _, name) {
      const encoding = tokenizer(text, pair, cutting(context)) as Encoding
      return { rows: [rowOf(encoding, name)] }
    },
    decode(_, [prediction], { topK, functionToApply }) {
      const { data } = (prediction as { logits: Tensor<'float32'> }).logits
      const scores = functionToApply === 'none' ? data : functionToApply === 'softmax' ? softmax(data) : sigmoid(data)
      return highest(scores, topK ?? scores.length).map(id => ({ label: names[id]!, score: scores[id]! }))
    },
    collect: (answers, isList, { topK }) => (isList ? (topK === 1 ? answers.flat() : answers) : answers[0]),
  }
}

/** Python's rule. */
function usualFunction({ config, width }: TaskContext): (typeof functions)[number] {
  if (config.problem_type === 'regression') return 'none'
  return config.problem_type === 'multi_label_classification' || width === 1 ? 'sigmoid' : 'softmax'
}

function readPairs(where: string, given: unknown): Items<Item> {
  const isList = Array.isArray(given)
  const items = (isList ? given : [given]) as unknown[]
  return { items: items.map((item, at) => readPair(where, item, isList ? `text ${at}` : undefined)), isList }
}

function readPair(where: string, item: unknown, place: string | undefined): Item {
  if (typeof item === 'string') return [item]
  if (Array.isArray(item) && item.length === 2 && item.every(text => typeof text === 'string'))
    return item as [string, string]
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
    const { text, text_pair: pair, ...others } = item as Readonly<Record<string, unknown>>
    const isPair = typeof text === 'string' && (pair === undefined || typeof pair === 'string')
    if (isPair && Object.keys(others).length === 0) return pair === undefined ? [text] : [text, pair]
    throw new TrainerError('data', `${where}: ${place ?? 'what was given'} is { ${Object.keys(item).join(', ')} }.`, {
      fix: 'Write a pair as { text: …, text_pair: … }, both texts.',
    })
  }
  throw notTexts(where, 'a text, a pair { text, text_pair }, or a list of these', place, item)
}
