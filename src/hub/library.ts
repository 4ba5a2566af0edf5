// the library that speaks to the Hub: loaded when the Hub is first asked, which most programs that import us never do
import type * as library from '@huggingface/hub'

type Library = typeof library

let loaded: Library | undefined

/** The library's functions. */
export async function hubLibrary(): Promise<Library> {
  return (loaded ??= await import('@huggingface/hub'))
}

/** Whether an error is the library's own, for an answer that means no. */
export function isApiError(error: unknown): error is library.HubApiError {
  return loaded !== undefined && error instanceof loaded.HubApiError
}
