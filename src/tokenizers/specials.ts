// the special tokens of a tokenizer, by Python's names

export const specialNames = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const

export type SpecialName = (typeof specialNames)[number]

/** The text of each special token that a tokenizer has. */
export type SpecialTokens = Readonly<Partial<Record<SpecialName, string>>>

/** The text of a special token, which files write as text or as an object with its text in `content`. */
export function textOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token
  return typeof token === 'object' && token !== null && 'content' in token && typeof token.content === 'string'
    ? token.content
    : undefined
}
