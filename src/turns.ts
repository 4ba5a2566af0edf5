// long work in pieces, so that timers, sockets and signals have their turn in between

/** Gives everybody else a turn: between two pieces of work that cannot be parted. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** For how many milliseconds a piece of work may hold the event loop. */
export const longestTurn = 8

/**
 * A function to wait for between pieces of long work: it lets the event loop run when the work has held it for long
 * enough.
 * @param milliseconds how long that is.
 */
export function takeTurns(milliseconds = longestTurn): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < milliseconds) return
    await nextTurn()
    last = performance.now()
  }
}
