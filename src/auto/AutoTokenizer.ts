import { writeTexts } from '../checkpoint/files'
import { loadTokenizer, type Tokenizer } from '../data/tokenizer'
import { existingFolder } from './folders'

/** Tokenizers. */
export const AutoTokenizer = {
  /** The tokenizer of a folder: `tokenizer.json`, or a vocabulary file. @throws TrainerError when there is none. */
  fromPretrained: async (folder: string): Promise<Tokenizer> => loadTokenizer(await existingFolder(folder), writeTexts),
}
