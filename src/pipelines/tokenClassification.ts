import { TrainerError } from '../errors'
import { checkFlag, checkText, shown, withDefaults } from '../options'
import type { Tensor } from '../tensor'
import type { BatchEncoding } from '../tokenizers/encoding'
import type { Tokenizer } from '../tokenizers/tokenizer'
import {
  type AggregationStrategy,
  aggregationStrategies,
  codePoints,
  entityGroups,
  type EntityGroup,
  type EntityToken,
  type Grouping,
  type ScoredToken,
  tokenEntities,
  withoutOverlaps,
} from './entities'
import type { PipelineMembers } from './PipelineMembers'
import type { Encoded, Items, PipelineTask, TaskContext } from './PipelineTask'
import { softmax } from '../probabilities'
import { checkChoice, cutting, labelNames, notTexts, readTexts, rowOf } from './reading'

/** Options of a {@link TokenClassificationPipeline}. */
export interface TokenClassificationOptions {
  /**
   * What is answered: 'none' (the default) each token; 'simple' neighbouring tokens of one kind; the others words, with the
   * class of their first token ('first'), of their tokens' mean ('average'), or of the likeliest ('max'), in groups.
   */
  readonly aggregationStrategy?: AggregationStrategy
  /** Classes that are left out, or kinds of groups. Default ['O']. */
  readonly ignoreLabels?: readonly string[]
  /** Whether each text is a list of its words. Default false. */
  readonly isSplitIntoWords?: boolean
  /** What stands between words, for `start` and `end`. Default a blank. */
  readonly delimiter?: string
  /**
   * With groups: reads a text that is too long in windows, which have so many tokens in common; by default it is cut.
   */
  readonly stride?: number
}

type Grouped = TokenClassificationOptions & {
  readonly aggregationStrategy: Exclude<AggregationStrategy, 'none'>
}
type Ungrouped = TokenClassificationOptions & { readonly aggregationStrategy?: 'none' }
type InWords = { readonly isSplitIntoWords: true }

/** Classes for the tokens of texts, or entities: a list for each text. */
export interface TokenClassificationPipeline extends PipelineMembers {
  (text: string, options?: Ungrouped): Promise<EntityToken[]>
  (text: string, options: Grouped): Promise<EntityGroup[]>
  (words: readonly string[], options: Ungrouped & InWords): Promise<EntityToken[]>
  (words: readonly string[], options: Grouped & InWords): Promise<EntityGroup[]>
  (texts: readonly string[] | readonly (readonly string[])[], options?: Ungrouped): Promise<EntityToken[][]>
  (texts: readonly string[] | readonly (readonly string[])[], options: Grouped): Promise<EntityGroup[][]>
}

type Options = Required<Omit<TokenClassificationOptions, 'stride'>> & { readonly stride: number | undefined }
type Item = string | readonly string[]

/** A text in one window or several. */
interface Windows extends Encoded {
  readonly text: string
  readonly tokens: readonly Omit<ScoredToken, 'scores'>[][]
}

/** Token classification as Python's pipeline of that name does it. */
export function tokenClassification(
  context: TaskContext,
): PipelineTask<Item, Options, Windows, (EntityToken | EntityGroup)[]> {
  const { where, tokenizer } = context
  const grouping: Grouping = { labels: labelNames(context), join: words => tokenizer.convertTokensToString(words) }
  return {
    head: 'token-classification',
    judges: 'all',
    arity: 1,
    read: ([given], { isSplitIntoWords }) => (isSplitIntoWords ? readWords(where, given) : readTexts(context, given)),
    options: given => completeOptions(where, given),
    encode: (item, options, name) => encodeWindows(context, item, options, name),
    decode({ text, tokens }, predictions, { aggregationStrategy: strategy, ignoreLabels }) {
      const kept = predictions.flatMap((prediction, window): (EntityToken | EntityGroup)[] => {
        const scored = withScores(tokens[window]!, (prediction as { logits: Tensor<'float32'> }).logits)
        return strategy === 'none'
          ? tokenEntities(scored, grouping).filter(({ entity }) => !ignoreLabels.includes(entity))
          : entityGroups(scored, strategy, grouping).filter(one => !ignoreLabels.includes(one.entity_group))
      })
      return predictions.length > 1 ? withoutOverlaps(kept as EntityGroup[], text) : kept
    },
    collect: (answers, isList) => (isList ? answers : answers[0]),
  }
}

function completeOptions(where: string, given: object | undefined): Options {
  const options = withDefaults<Options>(
    given,
    { aggregationStrategy: 'none', ignoreLabels: ['O'], isSplitIntoWords: false, delimiter: ' ', stride: undefined },
    where,
  )
  const { aggregationStrategy, ignoreLabels, stride } = options
  checkChoice(aggregationStrategy, 'aggregationStrategy', aggregationStrategies)
  checkFlag(options.isSplitIntoWords, 'isSplitIntoWords')
  checkText(options.delimiter, 'delimiter')
  if (!Array.isArray(ignoreLabels) || ignoreLabels.some(label => typeof label !== 'string'))
    throw new TrainerError('argument', `ignoreLabels is ${shown(ignoreLabels)}; a list of labels was expected.`)
  if (stride !== undefined && (!Number.isInteger(stride) || stride < 0))
    throw new TrainerError('argument', `stride is ${shown(stride)}; a whole number of tokens was expected.`)
  if (stride !== undefined && aggregationStrategy === 'none')
    throw new TrainerError(
      'argument',
      'stride is given, but tokens of overlapping windows are answered in groups only.',
      {
        fix: "Set aggregationStrategy too: 'simple', 'first', 'average' or 'max'.",
      },
    )
  return options
}

/** A list of words, or several. */
function readWords(where: string, given: unknown): Items<Item> {
  const isList = Array.isArray(given) && given.some(item => Array.isArray(item))
  const items = (isList ? given : [given]) as unknown[]
  const isWords = (item: unknown): boolean => Array.isArray(item) && item.every(word => typeof word === 'string')
  const wrong = items.findIndex(item => !isWords(item))
  if (wrong < 0) return { items: items as string[][], isList }
  const place = isList ? `text ${wrong}` : undefined
  throw notTexts(`${where} with isSplitIntoWords`, 'lists of words', place, items[wrong])
}

function encodeWindows(context: TaskContext, item: Item, options: Options, name: string): Windows {
  const { isSplitIntoWords, delimiter, stride } = options
  const { tokenizer } = context
  const limits = cutting(context)
  const encoding = tokenizer([item] as string[], {
    ...limits,
    isSplitIntoWords,
    returnSpecialTokensMask: true,
    returnOffsetsMapping: true,
    returnWordIds: true,
    ...(stride !== undefined && limits.truncation !== undefined && { stride, returnOverflowingTokens: true }),
  })
  const text = typeof item === 'string' ? item : item.join(delimiter)
  const starts = typeof item === 'string' ? undefined : wordStarts(item, delimiter)
  const windows = encoding.input_ids.map((_, window) => windowOf(encoding, window))
  return {
    text,
    rows: windows.map(window => rowOf(window as Parameters<typeof rowOf>[0], name)),
    tokens: windows.map(window => tokensOf(tokenizer, window, text, starts)),
  }
}

/** A row of an encoded batch. */
type Window = { readonly [Name in keyof BatchEncoding]: NonNullable<BatchEncoding[Name]>[number] }

function windowOf(encoding: BatchEncoding, window: number): Window {
  const columns = Object.entries(encoding).map(([name, rows]) => [name, (rows as unknown[])[window]])
  return Object.fromEntries(columns) as Window
}

/** Where each word begins in the text that words make. */
function wordStarts(words: readonly string[], delimiter: string): number[] {
  let start = 0
  return words.map(word => {
    const own = start
    start += word.length + delimiter.length
    return own
  })
}

/** The tokens of a row but the special ones. */
function tokensOf(
  tokenizer: Tokenizer,
  { input_ids: ids, special_tokens_mask: specials, offset_mapping: offsets, word_ids: words }: Window,
  text: string,
  starts: readonly number[] | undefined,
): Omit<ScoredToken, 'scores'>[] {
  const { continuingSubwordPrefix: prefix, unkTokenId } = tokenizer
  return ids.flatMap((id, index) => {
    if (specials![index] === 1) return []
    const before = starts === undefined ? 0 : starts[words![index]!]!
    const start = before + offsets![index]![0]
    const end = before + offsets![index]![1]
    const part = text.slice(start, end)
    if (id === unkTokenId) return [{ index, word: part, start, end, isSubword: false }]
    const word = tokenizer.convertIdsToTokens(id) ?? ''
    const goesOn =
      prefix === undefined
        ? start > 0 && text[start - 1] !== ' ' && text[start] !== ' '
        : codePoints(word) !== codePoints(part)
    return [{ index, word, start, end, isSubword: goesOn }]
  })
}

function withScores(tokens: readonly Omit<ScoredToken, 'scores'>[], { data, dims }: Tensor<'float32'>): ScoredToken[] {
  const width = dims[1]!
  return tokens.map(token => ({
    ...token,
    scores: softmax(data.subarray(token.index * width, (token.index + 1) * width)),
  }))
}
