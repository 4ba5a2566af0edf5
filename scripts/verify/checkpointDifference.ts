// how far two checkpoints of training artifacts are apart
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import type { Tensor } from '../../src/tensor'
import { distanceOf, isNoise } from '../reference/parameters'

/** The largest distance of a tensor relative to its length, rounding aside. */
export function checkpointDifference(own: Checkpoint, other: Checkpoint): number {
  const tensors = ({ trained, frozen, optimizer }: Checkpoint): ReadonlyMap<string, Tensor> =>
    new Map([
      ...trained,
      ...frozen,
      ...[...(optimizer?.states ?? [])].flatMap(([name, state]) =>
        [...state].map(([moment, tensor]) => [`${moment} of ${name}`, tensor] as const),
      ),
    ])
  const [ours, theirs] = [tensors(own), tensors(other)]
  if (ours.size !== theirs.size || own.optimizer?.step !== other.optimizer?.step) return Infinity
  const distances = [...theirs].map(([name, tensor]) => {
    if (isNoise(name)) return 0
    const { distance, length } = distanceOf(ours.get(name), tensor)
    return length === 0 ? distance : distance / length
  })
  return distances.some(Number.isNaN) ? Infinity : Math.max(...distances)
}
