import { TrainerError } from '../errors'
import { operatorName } from '../onnx/RawModel'
import type { Lowering, LoweringTable } from './Lowering'

/** What to do about what graph optimizers left. */
export const unfused = 'Export the model without graph optimization.'

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

/** The rows of several operators that are refused alike, of ONNX Runtime's domain unless said otherwise. */
export function refusals(
  operators: readonly string[],
  why: string,
  fix: string,
  domain = 'com.microsoft',
): LoweringTable {
  return Object.fromEntries(operators.map(op => [operatorName({ op, domain }), refused(why, fix)]))
}
