import { textFiles } from '../files/textFiles'
import { pushSaved } from '../hub/push'
import { checkFlag, checkOptions, refuseArguments } from '../options'
import type { LoadTokenizerOptions } from '../tokenizers/files'
import { importNative } from '../tokenizers/native'
import type { TextFiles } from '../tokenizers/textFiles'
import { loadTokenizer, type Tokenizer } from '../tokenizers/tokenizer'
import { TrainerError } from '../errors'
import { openSource, type SourceOptions, sourceOptionNames } from './sources'

/** Tokenizers. */
export const AutoTokenizer = {
  /**
   * The tokenizer of a folder, or of a repository by its id: `tokenizer.json`, or a vocabulary file, or a SentencePiece model. For a normalizer or
   * pre-tokenizer that is not written here, npm's `tokenizers` is used where it is installed.
   * @param options `addPrefixSpace`: whether a byte-level tokenizer puts a blank before a text, and so before each
   *   word of a text in words. The others say where it is taken from: `revision`, `token`, …
   * @throws TrainerError when there is none, or it has a part that cannot be right; for options that it does not have,
   * and `addPrefixSpace` for a tokenizer that is not byte-level.
   * @example
   * const tokenizer = await AutoTokenizer.fromPretrained('roberta-base', { addPrefixSpace: true })
   * tokenizer(['Ines', 'left'], { isSplitIntoWords: true })
   */
  async fromPretrained(
    folderOrId: string,
    options: LoadTokenizerOptions & SourceOptions = {},
    ...extra: readonly never[]
  ): Promise<Tokenizer> {
    const where = 'AutoTokenizer.fromPretrained()'
    refuseArguments(extra, `${where}, beside a folder or an id and its options,`)
    const property = properties.find(name => Object.hasOwn(Object(options), name))
    if (property !== undefined)
      throw new TrainerError('argument', `${property} is no option of ${where}, but a property of the tokenizer.`, {
        fix: `Set tokenizer.${property} when it is loaded.`,
      })
    checkOptions(options, ['addPrefixSpace', ...sourceOptionNames], where)
    checkFlag(options.addPrefixSpace, 'addPrefixSpace')
    const { addPrefixSpace, ...from } = options
    const source = await openSource('tokenizer', folderOrId, from)
    await source.fetchTokenizer()
    return loadTokenizer(source.folder, diskAndHub, importNative, { addPrefixSpace })
  },
}

const properties = ['modelMaxLength', 'paddingSide', 'truncationSide'] as const

/** What tokenizers read and write their files with. */
const diskAndHub: TextFiles = {
  ...textFiles,
  push: (id, texts, options) => {
    const save = (folder: string): Promise<void> => textFiles.write(folder, texts)
    return pushSaved(id, { where: 'tokenizer.pushToHub()', message: 'Upload tokenizer', save }, options)
  },
}
