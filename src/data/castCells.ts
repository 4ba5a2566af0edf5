// cells → what a declared feature says they are
import { roundToFloat16 } from '../files/halfFloats'
import { isFloatType, pythonText } from './classNames'
import type { Feature } from './features'

/** A value that a feature does not allow; `feature` is the innermost one, of a list's element or an object's field. */
export class Misfit {
  readonly value: unknown
  readonly feature: Feature

  constructor(value: unknown, feature: Feature) {
    this.value = value
    this.feature = feature
  }

  /** What was expected, for an error. */
  get wanted(): string {
    const { type, dtype, names, length, fields } = this.feature
    if (names !== undefined) return `one of ${names.length} classes: ${names.join(', ')}`
    if (fields !== undefined) return `an object of ${Object.keys(fields).join(', ')}`
    if (type === 'List' || type === 'LargeList') return length === undefined ? 'a list' : `a list of ${length} elements`
    return dtype
  }
}

/** Makes a cell what a feature says. @throws Misfit for one that it cannot be. */
export type Cast = (value: unknown) => unknown

/** The cast of a feature: as Arrow casts, and of texts to the numbers of classes. Missing values stay null everywhere. */
export function castOf(feature: Feature): Cast {
  const cast = presentCast(feature)
  return value => {
    if (value === null || value === undefined) return null
    const made = cast(value)
    if (made === undefined) throw new Misfit(value, feature)
    return made
  }
}

/** The cast of a value that is there; it gives undefined for one that cannot be cast. */
function presentCast(feature: Feature): Cast {
  switch (feature.type) {
    case 'ClassLabel':
      return value => classOf(value, feature.names!)
    case 'List':
    case 'LargeList':
      return listCast(feature)
    case 'Struct':
      return structCast(feature)
    case 'Value':
      return valueCast(feature.dtype)
    default:
      return value => value
  }
}

function listCast({ feature, length }: Feature): Cast {
  const cast = castOf(feature!)
  return value => {
    if (!Array.isArray(value) || (length !== undefined && value.length !== length)) return undefined
    return value.map(cast)
  }
}

/** An object's fields, in the declared order; those that it lacks are null. A list of objects is taken for one of lists. */
function structCast(feature: Feature): Cast {
  const fields = feature.fields!
  const casts = Object.entries(fields).map(([name, field]) => [name, castOf(field)] as const)
  const ofLists = Object.values(fields).every(({ type }) => type === 'List')
  return value => {
    const object = Array.isArray(value) && ofLists ? listsOf(value, Object.keys(fields)) : value
    if (!isRecord(object) || Object.keys(object).some(name => !Object.hasOwn(fields, name))) return undefined
    return Object.fromEntries(casts.map(([name, cast]) => [name, cast(object[name])]))
  }
}

/** `[{ a: 1 }, { a: 2 }]` as `{ a: [1, 2] }`; undefined if an element is no object of these fields. */
function listsOf(elements: readonly unknown[], names: readonly string[]): unknown {
  const known = (element: unknown): boolean =>
    isRecord(element) && Object.keys(element).every(key => names.includes(key))
  if (!elements.every(known)) return undefined
  return Object.fromEntries(
    names.map(name => [name, elements.map(element => (element as Record<string, unknown>)[name] ?? null)]),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** A class's number, from its name or number; -1 means no class. */
function classOf(value: unknown, names: readonly string[]): number | undefined {
  const named = typeof value === 'string' ? names.indexOf(value) : -1
  if (named >= 0) return named
  const trimmed = typeof value === 'string' ? names.indexOf(value.trim()) : -1
  if (trimmed >= 0) return trimmed
  const number = numberOf(value)
  return Number.isInteger(number) && number! >= -1 && number! < names.length ? number! + 0 : undefined
}

function valueCast(dtype: string): Cast {
  if (dtype.endsWith('string')) return textOf
  if (dtype === 'bool') return booleanOf
  const integer = /^(u?)int(8|16|32|64)$/.exec(dtype)
  if (integer !== null) return integerCast(integer[1] === 'u', Number(integer[2]))
  if (isFloatType(dtype)) return floatCast(dtype)
  if (/^(timestamp|date)/.test(dtype)) return dateOf
  return value => value
}

/** An object becomes JSON, as in Python. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'object') return isRecord(value) ? JSON.stringify(value) : undefined
  return typeof value === 'boolean' ? String(value) : pythonText(value, false)
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  if (typeof value !== 'string' || !/^(true|false|1|0)$/i.test(value)) return undefined
  return /^(true|1)$/i.test(value)
}

function integerCast(unsigned: boolean, bits: number): Cast {
  const lowest = unsigned ? 0 : -(2 ** (bits - 1))
  const highest = 2 ** (unsigned ? bits : bits - 1) - 1
  return value => {
    const number = numberOf(value)
    return Number.isInteger(number) && number! >= lowest && number! <= highest ? number! + 0 : undefined // -0 is 0
  }
}

const roundings: Readonly<Record<string, (value: number) => number>> = { float16: roundToFloat16, float32: Math.fround }

function floatCast(dtype: string): Cast {
  const round = roundings[dtype] ?? ((number: number): number => number)
  return value => {
    const number = numberOf(value)
    return number === undefined ? undefined : round(number)
  }
}

const notFinite: Readonly<Record<string, number>> = {
  ...{ nan: NaN, '-nan': NaN, inf: Infinity, '-inf': -Infinity, '+inf': Infinity },
  ...{ infinity: Infinity, '-infinity': -Infinity },
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (typeof value !== 'string' || value.trim() === '') return undefined
  const number = Number(value)
  return Number.isNaN(number) ? notFinite[value.toLowerCase()] : number
}

function dateOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? undefined : date
}
