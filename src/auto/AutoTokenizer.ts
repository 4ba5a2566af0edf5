import { textFiles } from '../files/textFiles'
import { importNative } from '../tokenizers/native'
import { loadTokenizer, type Tokenizer } from '../tokenizers/tokenizer'
import { TrainerError } from '../errors'
import { existingFolder } from './folders'

/** Tokenizers. */
export const AutoTokenizer = {
  /**
   * The tokenizer of a folder: `tokenizer.json`, or a vocabulary file, or a SentencePiece model. For a normalizer or
   * pre-tokenizer that is not written here, npm's `tokenizers` is used where it is installed.
   * @throws TrainerError when there is none, or it has a part that cannot be right.
   */
  fromPretrained: async (folder: string, ...others: readonly never[]): Promise<Tokenizer> => {
    if (others.length > 0) {
      throw new TrainerError('argument', 'AutoTokenizer.fromPretrained() takes a folder and nothing else.', {
        fix: 'Set options on the tokenizer, or at its calls.',
      })
    }
    return loadTokenizer(await existingFolder(folder), textFiles, importNative)
  },
}
