// a tokenizer → the files that Python and transformers.js open
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrainerError } from '../errors'
import type { Side } from './padding'
import type { TokenizerFiles } from './tokenizerFiles'

/** What of a tokenizer may have been set since it was loaded. */
export interface SavedSettings {
  readonly modelMaxLength: number
  readonly paddingSide: Side
  readonly truncationSide: Side
}

/** The texts of `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json`. */
export function tokenizerFileTexts({ json, config, family, specials }: TokenizerFiles, settings: SavedSettings): Record<string, string> {
  const sides = { padding_side: settings.paddingSide, truncation_side: settings.truncationSide }
  const written = {
    ...config,
    ...specials,
    tokenizer_class: config['tokenizer_class'] ?? family.name,
    ...(settings.modelMaxLength !== Infinity && { model_max_length: settings.modelMaxLength }),
    ...Object.fromEntries(Object.entries(sides).filter(([name, side]) => side !== 'right' || name in config)),
  }
  return {
    'tokenizer.json': JSON.stringify(json),
    'tokenizer_config.json': `${JSON.stringify(written, undefined, 2)}\n`,
    'special_tokens_map.json': `${JSON.stringify(specials, undefined, 2)}\n`,
  }
}

/** Writes files into a folder, which is made: each beside its place first, then renamed into it. */
export async function saveTokenizerFiles(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of Object.entries(texts)) {
      const beside = join(folder, `.${name}.${process.pid}.part`)
      await writeFile(beside, text).catch(async (error: unknown) => {
        await rm(beside, { force: true })
        throw error
      })
      await rename(beside, join(folder, name))
    }
  } catch (error) {
    throw new TrainerError('file', `The tokenizer could not be written to ${folder}: ${(error as Error).message}.`, { cause: error })
  }
}
