// what computeMetrics returns → plain data
import { TrainerError } from '../errors'
import { shown } from '../options'
import { Tensor } from '../tensor'
import type { MetricValue } from './Metrics'

/**
 * Metrics as plain data: tensors of one element and BigInt become numbers, other tensors and typed arrays lists, at any
 * depth, as `denumpify_detensorize` does in Python. Texts, booleans and null stay.
 * @param where what returned or got them, for the error.
 * @throws TrainerError (`argument`) for what is not an object (most often a forgotten return), and for values that a log
 * cannot keep, with their place.
 */
export function plainMetrics(metrics: unknown, where: string): Record<string, MetricValue> {
  if (isPlainObject(metrics)) return plainObject(metrics, { where, path: '', above: [] })
  const what = metrics instanceof Tensor ? shape(metrics) : metrics instanceof Map ? 'a Map' : shown(metrics)
  throw new TrainerError('argument', `${where} ${what}, not an object of metrics by name.`, {
    fix: metrics instanceof Map ? 'Return Object.fromEntries(map).' : 'Return { accuracy: … }.',
  })
}

/** Where a value is: the names that lead to it, and the objects around it. */
interface Place {
  readonly where: string
  readonly path: string
  readonly above: readonly unknown[]
}

function plainObject(given: object, place: Place): Record<string, MetricValue> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, plain(value, inside(place, given, name))]),
  )
}

function inside(place: Place, around: unknown, name: string | number): Place {
  return { ...place, path: place.path === '' ? String(name) : `${place.path}.${name}`, above: [...place.above, around] }
}

function plain(value: unknown, place: Place): MetricValue {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value === null)
    return value
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value)
    throw refused(place, `${value}, which is beyond 2⁵³`, 'Return it as a text.')
  }
  if (place.above.includes(value)) throw refused(place, 'what it is inside of', 'Return plain values.')
  if (value instanceof Tensor) return plainTensor(value, place)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<number | bigint>, (one, i) => plain(one, inside(place, value, i)))
  if (Array.isArray(value)) return Array.from(value, (one: unknown, i) => plain(one, inside(place, value, i)))
  if (isPlainObject(value)) return plainObject(value, place)
  if (value instanceof Promise) throw refused(place, 'a Promise', 'Write await before it.')
  const kind = typeof value === 'object' ? `a ${value.constructor.name}` : typeof value
  throw refused(place, kind, 'Return numbers, or lists and objects of numbers.')
}

function plainTensor(tensor: Tensor, place: Place): MetricValue {
  if (tensor.dtype === 'float16' || tensor.dtype === 'bfloat16')
    throw refused(place, `${shape(tensor)} of ${tensor.dtype}`, 'Convert it to float32.')
  return tensor.size === 1 ? Number(tensor.data[0]) : (tensor.tolist() as MetricValue)
}

function refused({ where, path }: Place, what: string, fix: string): TrainerError {
  return new TrainerError('argument', `${where} ${what} as "${path}", which is no metric.`, { fix })
}

function shape({ dims }: Tensor): string {
  return `a Tensor of the shape [${dims.join(', ')}]`
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const kind: unknown = Object.getPrototypeOf(value)
  return kind === null || kind === Object.prototype || Object.getPrototypeOf(kind) === null
}
