// whether a tokenizer can encode a text word by word
import { TrainerError } from '../errors'
import type { TokenizerFiles } from './files'
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
  const configured = `add_prefix_space in ${path.replace(/tokenizer\.json$/, 'tokenizer_config.json')}`
  return () => {
    if (model.encode('a').join() === model.encode(' a').join()) return
    throw new TrainerError(
      'argument',
      `isSplitIntoWords needs a tokenizer that puts a blank before each word, but in ${path} ${field} is false: this ` +
        'byte-level tokenizer would encode the words as if no blanks stood between them.',
      {
        fix:
          `Set ${family.kind === 'byte-level' ? configured : `${field} in ${path}`} to true, and load the tokenizer ` +
          'again; or give whole texts.',
      },
    )
  }
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
