// what a normalizer is
import type { AlignedText } from './alignedText'

/** What changes a text before it is cut into words. */
export interface Normalizer {
  normalize(text: string): string
  /** The same for a text that knows where its characters stand. */
  align(text: AlignedText): AlignedText
}
