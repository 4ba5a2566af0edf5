import { writeTexts } from '../files/writeFile'
import { loadTokenizer, type Tokenizer } from '../tokenizers/tokenizer'
import { TrainerError } from '../errors'
import { existingFolder } from './folders'

/** Tokenizers. */
export const AutoTokenizer = {
  /** The tokenizer of a folder: `tokenizer.json`, or a vocabulary file. @throws TrainerError when there is none. */
  fromPretrained: async (folder: string, ...others: readonly never[]): Promise<Tokenizer> => {
    if (others.length > 0) {
      throw new TrainerError('argument', 'AutoTokenizer.fromPretrained() takes a folder and nothing else.', {
        fix: 'Set options on the tokenizer, or at its calls.',
      })
    }
    return loadTokenizer(await existingFolder(folder), writeTexts)
  },
}
