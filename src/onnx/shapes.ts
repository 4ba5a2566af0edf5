import { TrainerError } from '../errors'
import type { Dimension, ValueType } from './types'

/** A type as people read it: float32[tokens, 384]. */
export function describe(type: ValueType): string {
  return `${type.dtype}[${type.shape.join(', ')}]`
}

/** The axis counted from the front. @throws TrainerError when the rank does not have it. */
export function positive(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(at) || at < 0 || at >= rank)
    throw new TrainerError('graph', `axis ${axis} is out of range for rank ${rank}.`)
  return at
}

/** The axes counted from the front. @throws TrainerError when one is named twice. */
export function distinct(axes: readonly number[], rank: number): readonly number[] {
  const counted = axes.map(axis => positive(axis, rank))
  if (new Set(counted).size < counted.length)
    throw new TrainerError('graph', `the axes [${axes.join(', ')}] name one axis twice.`)
  return counted
}

/**
 * The shape that both shapes are broadcast to (NumPy's rule).
 * @param unknown makes a name for a length that is either of two; by default two names are taken for one length.
 * @throws TrainerError when they do not fit.
 */
export function broadcast(
  a: readonly Dimension[],
  b: readonly Dimension[],
  unknown?: () => Dimension,
): readonly Dimension[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1
    const y = b[i - rank + b.length] ?? 1
    if (x === y || y === 1) return x
    if (unknown !== undefined && typeof x === 'string' && typeof y === 'string') return unknown()
    if (x === 1 || typeof x === 'string') return y
    if (typeof y === 'string') return x
    throw new TrainerError('graph', `the shapes [${a.join(', ')}] and [${b.join(', ')}] cannot be broadcast together.`)
  })
}

/** @throws TrainerError when `from` cannot be broadcast to `to` without changing `to`. */
export function stretches(from: readonly Dimension[], to: readonly Dimension[]): void {
  const stretched = broadcast(from, to)
  const fits =
    stretched.length === to.length && stretched.every((d, i) => d === to[i] || (typeof to[i] === 'string' && d !== 1))
  if (!fits)
    throw new TrainerError('graph', `the shape [${from.join(', ')}] cannot be broadcast to [${to.join(', ')}].`)
}

/** Whether a length got its name only because inference could not know it: whoever knows it may declare it as such. */
function isUnknown(length: Dimension): boolean {
  return typeof length === 'string' && /^un(known|named)_\d+$/.test(length)
}

/** What turns out to be equal among lengths, names and numbers alike. */
export interface Equalities {
  /**
   * Whether both are the same length; if not, and either is unknown or `claimed`, from now on they are. Two numbers
   * never become equal.
   */
  readonly equal: (a: Dimension, b: Dimension, claimed: boolean) => boolean
  /** An unknown length under a name that no builder gives: with a leading zero. */
  readonly unknown: () => Dimension
}

/** Lengths of which nothing is known to be equal yet. */
export function equalities(): Equalities {
  const other = new Map<Dimension, Dimension>()
  const root = (length: Dimension): Dimension => {
    const next = other.get(length)
    return next === undefined ? length : root(next)
  }
  const equal = (a: Dimension, b: Dimension, claimed: boolean): boolean => {
    const x = root(a)
    const y = root(b)
    if (x === y) return true
    if (typeof x === 'number' && typeof y === 'number') return false
    if (!claimed && !isUnknown(x) && !isUnknown(y)) return false
    // numbers stay, and of two names the one that somebody gave
    if (typeof y === 'number' || isUnknown(x)) other.set(x, y)
    else other.set(y, x)
    return true
  }
  let count = 1
  return { equal, unknown: () => `unknown_0${count++}` }
}

/** @throws TrainerError when both lengths are known and differ. */
export function agree(a: Dimension, b: Dimension): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    throw new TrainerError('graph', `the lengths ${a} and ${b} differ.`)
}

/** @throws TrainerError when the shapes cannot be the same. */
export function agreeAll(a: readonly Dimension[], b: readonly Dimension[]): void {
  if (a.length !== b.length)
    throw new TrainerError('graph', `the shapes [${a.join(', ')}] and [${b.join(', ')}] have different ranks.`)
  a.forEach((d, i) => agree(d, b[i]!))
}

/**
 * The shape after a reshape to numbers and lengths with names: 0 keeps a length (unless `zeros` are meant), -1 takes
 * what is left, which is known if all but one length cancel out.
 * @throws TrainerError when the number of elements changes.
 */
export function reshaped(
  from: readonly Dimension[],
  wanted: readonly Dimension[],
  zeros: boolean,
  unknown: () => Dimension,
): readonly Dimension[] {
  const target = `[${from.join(', ')}] cannot be reshaped to [${wanted.join(', ')}]`
  if (wanted.filter(d => d === -1).length > 1 || wanted.some(d => typeof d === 'number' && d < -1)) {
    throw new TrainerError('graph', `${target}: at most one length may be -1, and none smaller.`)
  }
  const copied = wanted.map((d, i): Dimension => {
    const length = d === 0 && !zeros ? from[i] : d
    if (length === undefined)
      throw new TrainerError('graph', `${target}: there is no axis ${i} whose length the 0 could keep.`)
    return length
  })
  const left = names(from)
  const added: string[] = []
  for (const name of names(copied)) {
    const at = left.indexOf(name)
    if (at >= 0) left.splice(at, 1)
    else added.push(name)
  }
  const above = product(from)
  const below = product(copied.filter(d => d !== -1))
  const known = left.length === 0 && added.length === 0
  if (!copied.includes(-1)) {
    if (known && above !== below) throw new TrainerError('graph', `${target}: the number of elements would change.`)
    return copied
  }
  if (known && below !== 0 && above % below !== 0)
    throw new TrainerError('graph', `${target}: ${above} is not a multiple of ${below}.`)
  const rest =
    known && below !== 0
      ? above / below
      : left.length === 1 && added.length === 0 && above === below
        ? left[0]!
        : unknown()
  return copied.map(d => (d === -1 ? rest : d))
}

/** More axes than any tensor has. */
export const mostAxes = 64

/** As the start or end of a slice, "all that is left": the largest int32, which every provider reads correctly. */
export const toEnd = 2 ** 31 - 1

/** The length of what a slice takes of a known length (NumPy's rule). */
export function slicedLength(length: number, start: number, end: number, step: number): number {
  return Math.max(0, Math.ceil((clampedPlace(end, length, step) - clampedPlace(start, length, step)) / step))
}

/**
 * Where a slice starts or ends, counted from the front: within a known length, or one before it where it steps back.
 */
export function clampedPlace(at: number, length: number, step: number): number {
  const first = step < 0 ? -1 : 0
  return Math.min(Math.max(at < 0 ? at + length : at, first), first + length)
}

function names(shape: readonly Dimension[]): string[] {
  return shape.filter((d): d is string => typeof d === 'string')
}

function product(shape: readonly Dimension[]): number {
  return shape.reduce<number>((size, d) => (typeof d === 'number' ? size * d : size), 1)
}
