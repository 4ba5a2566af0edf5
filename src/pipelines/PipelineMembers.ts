import type { Tokenizer } from '../tokenizers/tokenizer'

/** What every pipeline has beside being called. */
export interface PipelineMembers {
  /** What it does, by the name that it was made with. */
  readonly task: string
  /** Its tokenizer: `tokenizer.modelMaxLength` is where texts are cut. */
  readonly tokenizer: Tokenizer
  /** Frees the engine, after what is under way; calls that wait are refused, and so are later ones. */
  dispose(): Promise<void>
}
