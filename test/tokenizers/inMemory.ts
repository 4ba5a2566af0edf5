import type { TextFiles } from '../../src/tokenizers/textFiles'
import { loadTokenizer, type Tokenizer } from '../../src/tokenizers/tokenizer'

/** Folders that are not on a disk. */
export function filesInMemory(
  folders: Map<string, Record<string, string>>,
  binaries: Readonly<Record<string, Uint8Array>> = {},
): TextFiles {
  return {
    list: async folder =>
      folders.has(folder) ? [...Object.keys(folders.get(folder)!), ...Object.keys(binaries)] : undefined,
    read: async (folder, name) => folders.get(folder)?.[name],
    readBytes: async (_, name) => binaries[name]!,
    write: async (folder, texts) => void folders.set(folder, { ...folders.get(folder), ...texts }),
  }
}

/** The tokenizer of a tokenizer.json, by default of Python's base class. */
export function tokenizerOf(
  json: unknown,
  config: unknown = { tokenizer_class: 'PreTrainedTokenizerFast' },
): Promise<Tokenizer> {
  const texts = { 'tokenizer.json': JSON.stringify(json), 'tokenizer_config.json': JSON.stringify(config) }
  return loadTokenizer('folder', filesInMemory(new Map([['folder', texts]])))
}
