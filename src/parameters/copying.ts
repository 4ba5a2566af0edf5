import { takeTurns } from '../turns'

/** Numbers copied at a stretch: about a millisecond. */
const stretch = 1 << 20

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
