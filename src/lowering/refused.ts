import { TrainerError } from '../errors'
import type { Lowering } from './Lowering'

/**
 * The row of an operator that is known, and yet not written.
 * @param why a sentence without its full stop
 * @param fix what to do instead
 */
export function refused(why: string, fix: string): Lowering {
  return {
    how: `refused: ${why}`,
    carries: [],
    lower: () => {
      throw new TrainerError('graph', `it cannot be trained: ${why}.`, { fix })
    },
  }
}
