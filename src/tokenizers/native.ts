// the one door to npm's `tokenizers`, the Rust library, for normalizers and pre-tokenizers that are not written here
import { TrainerError } from '../errors'
import { UnsupportedPart, type JsonPart } from './jsonPart'

/** What is used of the package: the calls that answer at once. Its encode() does not, and ours does. */
export interface NativeLibrary {
  readonly Tokenizer: {
    fromString(json: string): {
      getNormalizer(): { normalizeString(text: string): string } | null
      getPreTokenizer(): { preTokenizeString(text: string): [string, unknown][] } | null
    }
  }
}

/** The package, if it is installed. */
export async function importNative(): Promise<NativeLibrary | undefined> {
  try {
    return (await import('tokenizers')) as unknown as NativeLibrary
  } catch {
    return undefined
  }
}

let loaded: NativeLibrary | undefined

/**
 * What `make` makes, or else what the native library makes once it has been loaded by this.
 * @throws TrainerError as `make` does where the native library would not help, or is not installed.
 */
export async function withNative<Made>(
  make: () => Made,
  load: (() => Promise<NativeLibrary | undefined>) | undefined,
): Promise<Made> {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof NeedsNative) || load === undefined || loaded !== undefined) throw error
    loaded = await load()
    if (loaded === undefined) throw error
    return make()
  }
}

/** The error for a part that the native library could do. */
class NeedsNative extends TrainerError {
  constructor(cause: TrainerError) {
    super('file', cause.problem, {
      cause,
      fix: "npm's tokenizers does it, and is used where it is installed: npm install tokenizers.",
    })
  }
}

/**
 * A normalizer's or pre-tokenizer's function, or the native library's for one that is not supported here.
 * @param native makes it of the library and the part's value.
 */
export function madeHereOrNatively<Made>(
  part: JsonPart,
  make: () => Made,
  native: (library: NativeLibrary, part: unknown) => Made | undefined,
): Made {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof UnsupportedPart)) throw error
    if (loaded === undefined) throw new NeedsNative(error)
    try {
      return native(loaded, part.value) ?? unreadable(error)
    } catch {
      throw error // the native library knows it no better
    }
  }
}

function unreadable(error: Error): never {
  throw error
}

const bare = { version: '1.0', truncation: null, padding: null, added_tokens: [], post_processor: null, decoder: null }
const anyModel = { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' }

/** The native tokenizer of one part. */
export function nativeOf(
  library: NativeLibrary,
  parts: { readonly normalizer?: unknown; readonly pre_tokenizer?: unknown },
): ReturnType<NativeLibrary['Tokenizer']['fromString']> {
  const json = { ...bare, normalizer: null, pre_tokenizer: null, ...parts, model: anyModel }
  return library.Tokenizer.fromString(JSON.stringify(json))
}
