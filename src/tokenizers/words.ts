// whether a tokenizer can encode a text word by word, and can be told to
import { TrainerError } from '../errors'
import type { LoadTokenizerOptions, TokenizerFiles } from './files'
import { JsonPart } from './jsonPart'
import type { TextModel } from './textModel'

/**
 * A function that refuses words for a tokenizer that tells words by the blank before them and puts none there: a
 * byte-level one without `add_prefix_space`. It would encode words as if no blank stood between them, as Python does
 * since transformers 5.
 */
export function wordsChecker(model: TextModel, { json, path, family }: TokenizerFiles): () => void {
  const splitter = blanklessSplitter(new JsonPart(json, path).at('pre_tokenizer'))
  if (splitter === undefined) return () => undefined
  const field = `${splitter.field}.add_prefix_space`
  return () => {
    if (model.encode('a').join() === model.encode(' a').join()) return
    throw new TrainerError(
      'argument',
      `isSplitIntoWords needs a tokenizer that puts a blank before each word, but in ${path} ${field} is false: this ` +
        'byte-level tokenizer would encode the words as if no blanks stood between them.',
      {
        fix: `${adviceFor(splitter, path, family)}; or give whole texts.`,
      },
    )
  }
}

/** What makes it put blanks there: the option where that counts, and what to write into which file. */
function adviceFor({ field }: JsonPart, path: string, { kind }: TokenizerFiles['family']): string {
  if (field !== 'pre_tokenizer') return `Set ${field}.add_prefix_space in ${path} to true, and load the tokenizer again`
  const folder = path.replace(/\/tokenizer\.json$/, '')
  const load = `AutoTokenizer.fromPretrained('${folder}', { addPrefixSpace: true })`
  const written =
    kind === 'byte-level'
      ? `add_prefix_space in ${folder}/tokenizer_config.json`
      : `${field}.add_prefix_space in ${path}`
  return `Load it with ${load}, or set ${written} to true`
}

/** @throws TrainerError (`argument`) for `addPrefixSpace` where no byte-level tokenizer splits the whole text. */
export function checkPrefixSpace({ json, path }: TokenizerFiles, { addPrefixSpace }: LoadTokenizerOptions): void {
  const part = new JsonPart(json, path).at('pre_tokenizer')
  const type = part.isMissing ? 'missing' : part.at('type').text()
  if (addPrefixSpace === undefined || type === 'ByteLevel') return
  const splitter = blanklessSplitter(part)
  throw new TrainerError(
    'argument',
    `addPrefixSpace is an option of byte-level tokenizers, but pre_tokenizer of ${path} is ${type}.`,
    {
      fix:
        splitter === undefined
          ? 'Leave it out: this tokenizer takes texts in words (isSplitIntoWords) without it.'
          : `Leave it out, and set ${splitter.field}.add_prefix_space in ${path} to true.`,
    },
  )
}

/** The pre-tokenizer ByteLevel that puts no blank before a text. */
function blanklessSplitter(part: JsonPart): JsonPart | undefined {
  if (part.isMissing) return undefined
  const type = part.at('type').text()
  if (type === 'ByteLevel') return part.at('add_prefix_space').flag() ? undefined : part
  if (type !== 'Sequence') return undefined
  const inner = part.at('pretokenizers').list().map(blanklessSplitter)
  return inner.find(one => one !== undefined)
}
