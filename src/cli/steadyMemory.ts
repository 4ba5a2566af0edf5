import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * A function to call with the number of rows that are done: now and then it has garbage collected. What rows leave
 * behind is a lot at once and little in all; left alone, V8 lets the process grow by half before it looks.
 */
export function collectGarbageEvery(rows: number): (done: number) => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (() => void) | undefined
  let since = 0
  return done => {
    since += done
    if (since < rows) return
    since = 0
    collect?.()
  }
}
