import { onTestFinished, vi } from 'vitest'
import { OrtEngine } from '../../src/engine/ort'
import { StatusError } from '../../src/engine/StatusError'
import type { EngineValues, Program } from '../../src/engine/types'

/** What CUDA's arena says, and how much a pretended device has room for. */
const words =
  'Non-zero status code returned while running MatMul node. BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 3221225472'

export interface Scarcity {
  /** Which programs need memory; those of training unless given. */
  readonly of?: RegExp
  /** Labels of the largest batch that has room. */
  readonly rows: number
  /** Runs that succeed whatever they need. */
  readonly after?: number
}

/**
 * Has programs of all engines refuse batches of too many rows, as a device would whose memory is full, until the test has
 * ended.
 * @returns the rows of all batches that a program was run on, those that were refused too.
 */
export function scarceMemory({ of = /^training\//, rows, after = 0 }: Scarcity): number[] {
  const seen: number[] = []
  // oxlint-disable-next-line typescript/unbound-method -- it is called on its engine
  const { load } = OrtEngine.prototype
  const spy = vi.spyOn(OrtEngine.prototype, 'load').mockImplementation(async function (this: OrtEngine, ...given) {
    const program = await load.apply(this, given)
    if (!of.test(given[1]?.name ?? '')) return program
    const run: Program['run'] = async (inputs, ...rest) => {
      seen.push(rowsOf(inputs))
      if (seen.length > after && seen.at(-1)! > rows) throw new StatusError('Run', 1, words)
      return program.run(inputs, ...rest)
    }
    const { inputs, outputs } = program
    return { inputs, outputs, run, endProfiling: () => undefined, dispose: () => program.dispose() }
  })
  onTestFinished(() => spy.mockRestore())
  return seen
}

function rowsOf(inputs: EngineValues): number {
  return inputs.labels!.dims[0]!
}
