// long work in pieces, so that timers, sockets and signals have their turn in between

/** Numbers copied at a stretch: about a millisecond. */
const stretch = 1 << 20

/** Gives everybody else a turn: between two pieces of work that cannot be parted. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/**
 * A function to wait for between pieces of long work: it lets the event loop run when the work has held it for long
 * enough.
 * @param milliseconds how long that is.
 */
export function takeTurns(milliseconds = 8): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < milliseconds) return
    await nextTurn()
    last = performance.now()
  }
}

/** Fills an array piece by piece, with others' turns between. */
export async function fillInTurns(target: Float32Array, value: number, turns = takeTurns()): Promise<void> {
  for (let at = 0; at < target.length; at += stretch) {
    target.fill(value, at, at + stretch)
    await turns()
  }
}

/** Copies an array piece by piece, with others' turns between: a model's largest table can take half a second. */
export async function copyInTurns(target: Float32Array, source: Float32Array, turns = takeTurns()): Promise<void> {
  for (let at = 0; at < source.length; at += stretch) {
    target.set(source.subarray(at, at + stretch), at)
    await turns()
  }
}
