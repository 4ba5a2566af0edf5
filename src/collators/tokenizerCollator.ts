// how collators are made that need a tokenizer: as functions or with `new`, the tokenizer first or among the options
import { TrainerError } from '../errors'
import { checkOptions, refuseArguments } from '../options'
import type { Collate, Collator, Examples } from './Collator'
import type { PadOptions } from './padExamples'
import type { Side } from './padding'

/** The part of a tokenizer that pads. */
export interface Padder {
  pad(examples: Examples, options?: PadOptions): Record<string, unknown[]>
  readonly paddingSide?: Side
}

/** Makes a collator of a tokenizer and options. */
export interface MakeCollator<Tokenizer extends Padder, Options extends object> {
  (tokenizer: Tokenizer, options?: Options): Collator
  (options: Options & { readonly tokenizer: Tokenizer }): Collator
  new (tokenizer: Tokenizer, options?: Options): Collator
  new (options: Options & { readonly tokenizer: Tokenizer }): Collator
}

/**
 * What makes collators of a kind.
 * @param name the kind's, for errors.
 * @param make checks the options, and returns what collates.
 */
export function tokenizerCollator<Tokenizer extends Padder, Options extends object>(
  name: string,
  make: (tokenizer: Tokenizer, options: Options) => Collate,
): MakeCollator<Tokenizer, Options> {
  function makeCollator(
    first: Tokenizer | (Options & { readonly tokenizer: Tokenizer }),
    given?: Options,
    ...extra: unknown[]
  ): Collator {
    const { tokenizer, options } = partsOf(name, first, given)
    if (typeof tokenizer?.pad !== 'function')
      throw new TrainerError('argument', `${name} needs a tokenizer.`, { fix: `Write ${name}(tokenizer).` })
    refuseArguments(extra, `${name}, beside its tokenizer and its options,`)
    const collate = make(tokenizer, (options ?? {}) as Options)
    return Object.defineProperty(collate, 'paddingSide', { get: () => tokenizer.paddingSide })
  }
  return Object.defineProperty(makeCollator, 'name', { value: name }) as unknown as MakeCollator<Tokenizer, Options>
}

/** The tokenizer and the options, however they were given. */
function partsOf<Tokenizer, Options extends object>(
  name: string,
  first: Tokenizer | (Options & { readonly tokenizer: Tokenizer }) | undefined,
  given: Options | undefined,
): { tokenizer: Tokenizer | undefined; options: Options | undefined } {
  if (typeof first !== 'object' || first === null || !('tokenizer' in first))
    return { tokenizer: first as Tokenizer, options: given }
  if (given !== undefined) checkOptions(given, [], `${name}({ tokenizer, … })`)
  const { tokenizer, ...options } = first
  return { tokenizer, options: options as unknown as Options }
}
