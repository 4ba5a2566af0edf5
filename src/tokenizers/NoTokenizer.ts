import { TrainerError } from '../errors'

/** A folder or a repository has no files of a tokenizer, where others may be broken. */
export class NoTokenizer extends TrainerError {
  constructor(problem: string, fix: string) {
    super('file', problem, { fix })
  }
}
