// how far two checkpoints of training artifacts are apart
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import type { Tensor } from '../../src/tensor'

/** The largest distance of a tensor relative to its length; key biases aside, whose gradients are rounding. */
export function checkpointDifference(own: Checkpoint, other: Checkpoint): number {
  const tensors = ({ trained, frozen, optimizer }: Checkpoint): ReadonlyMap<string, Tensor> =>
    new Map([
      ...trained,
      ...frozen,
      ...[...(optimizer?.states ?? [])].flatMap(([name, state]) =>
        [...state].map(([moment, tensor]) => [`${name}.${moment}`, tensor] as const),
      ),
    ])
  const [ours, theirs] = [tensors(own), tensors(other)]
  if (ours.size !== theirs.size || own.optimizer?.step !== other.optimizer?.step) return Infinity
  const distances = [...theirs].map(([name, { data }]) => {
    if (name.includes('key.bias')) return 0
    const given = ours.get(name)?.data
    const length = norm(data.length, i => Number(data[i]))
    const apart = norm(data.length, i => Number(data[i]) - Number(given?.[i]))
    return length === 0 ? apart : apart / length
  })
  return distances.some(Number.isNaN) ? Infinity : Math.max(...distances)
}

function norm(count: number, item: (at: number) => number): number {
  let sum = 0
  for (let at = 0; at < count; at++) sum += item(at) ** 2
  return Math.sqrt(sum)
}
