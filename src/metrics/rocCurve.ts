import { logOnce } from '../logging'

/** Rows of two classes: how each scores, which belong to the second, how much each weighs. */
export interface ScoredRows {
  readonly scores: Float64Array
  readonly isPositive: readonly boolean[]
  readonly weights?: Float64Array | undefined
}

interface Point {
  readonly x: number
  readonly y: number
}

/**
 * The area under the curve of true against false positives, as one threshold after another is passed; rows that score
 * alike are passed together. NaN, with a warning, where there is one class only, as in scikit-learn.
 * @param maxFpr the area up to that share of false positives, scaled so that guessing is 0.5 and the best 1 (McClish).
 */
export function areaUnderCurve(metric: string, rows: ScoredRows, maxFpr = 1): number {
  if (new Set(rows.isPositive).size < 2) return undefinedArea(metric)
  const counts = countsByThreshold(rows)
  const last = counts.at(-1)!
  if (!(last.x > 0 && last.y > 0)) return undefinedArea(metric)
  const points = [{ x: 0, y: 0 }, ...counts].map(({ x, y }) => ({ x: x / last.x, y: y / last.y }))
  if (maxFpr === 1) return area(points)
  const stop = points.findIndex(({ x }) => x > maxFpr)
  const [before, behind] = [points[stop - 1]!, points[stop]!]
  const y = before.y + ((behind.y - before.y) / (behind.x - before.x)) * (maxFpr - before.x)
  const least = 0.5 * maxFpr ** 2
  return 0.5 * (1 + (area([...points.slice(0, stop), { x: maxFpr, y }]) - least) / (maxFpr - least))
}

function undefinedArea(metric: string): number {
  logOnce('warning', `${metric}: where the references have one class only, there is no area: it is NaN.`)
  return NaN
}

/** After each different score, from the highest: how many false (x) and true (y) positives there are. */
function countsByThreshold({ scores, isPositive, weights }: ScoredRows): Point[] {
  const order = Array.from(scores, (_, row) => row)
    .filter(row => weights?.[row] !== 0)
    .sort((a, b) => scores[b]! - scores[a]!)
  const points: Point[] = []
  let [x, y] = [0, 0]
  for (const [place, row] of order.entries()) {
    if (isPositive[row]) y += weights?.[row] ?? 1
    else x += weights?.[row] ?? 1
    const next = order[place + 1]
    if (next === undefined || scores[next] !== scores[row]) points.push({ x, y })
  }
  return points
}

function area(points: readonly Point[]): number {
  let whole = 0
  for (let i = 1; i < points.length; i++)
    whole += ((points[i]!.x - points[i - 1]!.x) * (points[i]!.y + points[i - 1]!.y)) / 2
  return whole
}
