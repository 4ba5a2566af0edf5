// tokenizer → the files that Python and transformers.js open
import type { Side } from '../collators/padding'
import type { TokenizerFiles } from './files'

/** The settings of a tokenizer that can change after it is loaded. */
export interface SavedSettings {
  readonly modelMaxLength: number
  /** Not undefined where the limit is the model's, which is not written. */
  readonly limitNote: string | undefined
  readonly paddingSide: Side
  readonly truncationSide: Side
}

/** The texts of `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json`. */
export function tokenizerFileTexts(
  { json, config, family, specials }: TokenizerFiles,
  settings: SavedSettings,
): Record<string, string> {
  const hasOwnLimit = settings.modelMaxLength !== Infinity && settings.limitNote === undefined
  const sides = { padding_side: settings.paddingSide, truncation_side: settings.truncationSide }
  const written = {
    ...config,
    ...specials,
    tokenizer_class: config['tokenizer_class'] ?? family.name,
    ...(hasOwnLimit && { model_max_length: settings.modelMaxLength }),
    ...Object.fromEntries(Object.entries(sides).filter(([name, side]) => side !== 'right' || name in config)),
  }
  return {
    'tokenizer.json': JSON.stringify(json),
    'tokenizer_config.json': `${JSON.stringify(written, undefined, 2)}\n`,
    'special_tokens_map.json': `${JSON.stringify(specials, undefined, 2)}\n`,
  }
}
