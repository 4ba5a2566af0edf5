// labels of words → labels of tokens
import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { checkFlag, checkOptions, refuseArguments, shown } from '../options'

/** Options of {@link alignLabels}. */
export interface AlignLabelsOptions {
  /** Give every token of a word its label, not the first one alone; false by default. */
  readonly labelAllTokens?: boolean
  /**
   * The names of the classes, for `labelAllTokens`: where a word begins an entity (`B-PER`), its other tokens go on with
   * it (`I-PER`).
   */
  readonly names?: readonly string[]
}

/**
 * The labels of a text's tokens, from those of its words: a word's label goes to its first token; its other tokens,
 * special tokens and padding get -100, which counts neither in the loss nor in metrics. That is what Python's examples
 * call `tokenize_and_align_labels`.
 * @param wordIds a row of `word_ids`, of a tokenizer called with `isSplitIntoWords` and `returnWordIds`.
 * @param labels the label of each word of the text, a number of a class.
 * @returns a label for each token.
 * @throws TrainerError (`data`) for a word without a label; (`argument`) for `names` without `labelAllTokens`.
 *
 * @example
 * alignLabels([null, 0, 0, 1, null], [3, 0]) // [-100, 3, -100, 0, -100]
 * @example
 * await dataset.map(
 *   rows => {
 *     const encoded = tokenizer(rows.tokens, { truncation: true, isSplitIntoWords: true, returnWordIds: true })
 *     return { ...encoded, labels: encoded.word_ids!.map((words, row) => alignLabels(words, rows.ner_tags[row]!)) }
 *   },
 *   { batched: true },
 * )
 */
export function alignLabels(
  wordIds: readonly (number | null)[],
  labels: ArrayLike<number | bigint>,
  options: AlignLabelsOptions = {},
  ...extra: readonly never[]
): number[] {
  refuseArguments(extra, 'alignLabels(), beside words, labels and options,')
  checkOptions(options, ['labelAllTokens', 'names'], 'alignLabels()')
  const { labelAllTokens = false, names } = options
  checkFlag(labelAllTokens, 'labelAllTokens')
  if (typeof labels !== 'object' || labels === null)
    throw new TrainerError('data', `The labels of the words are ${shown(labels)}; a list was expected.`)
  const inside = insideOf(names, labelAllTokens)
  return wordIds.map((word, token) => {
    if (word === null) return ignoredIndex
    const label = Number(labelOf(word, labels))
    if (word !== wordIds[token - 1]) return label
    return labelAllTokens ? (inside.get(label) ?? label) : ignoredIndex
  })
}

/** For each class that begins an entity, the one that goes on with it. @throws TrainerError for names that would not count. */
function insideOf(names: AlignLabelsOptions['names'], labelAllTokens: boolean): Map<number, number> {
  const inside = new Map<number, number>()
  if (names === undefined) return inside
  if (!Array.isArray(names))
    throw new TrainerError('argument', `names is ${shown(names)}; a list of the classes' names was expected.`)
  if (!labelAllTokens)
    throw new TrainerError('argument', 'names are given, but only the first token of each word has a label.', {
      fix: 'Set labelAllTokens: true, or leave names out.',
    })
  for (const [label, name] of (names as readonly string[]).entries()) {
    const next = name.startsWith('B-') ? names.indexOf(`I-${name.slice(2)}`) : -1
    if (next >= 0) inside.set(label, next)
  }
  return inside
}

function labelOf(word: number, labels: ArrayLike<number | bigint>): number | bigint {
  const label = labels[word]
  if (Number.isInteger(label) || typeof label === 'bigint') return label!
  if (typeof label === 'string')
    throw new TrainerError('data', `The label of word ${word} is the name "${label as string}", not its number.`, {
      fix: 'Number them first: alignLabels(words, labels.map(label => names.indexOf(label))).',
    })
  throw new TrainerError(
    'data',
    label === undefined
      ? `Word ${word} has no label: the text has ${labels.length} labels.`
      : `The label of word ${word} is ${shown(label)}; the number of a class was expected.`,
    { fix: 'Each word needs a label: compare the lengths of the columns of words and labels.' },
  )
}
