// a part of a JSON file that knows where it stands, so that what is wrong with it can be named
import { TrainerError } from '../errors'

/** The error for a part of a kind that has no right counterpart here. */
export class UnsupportedPart extends TrainerError {
  constructor(problem: string) {
    super('file', problem)
  }
}

/** A value of a JSON file, with the file's path and the fields that lead to it. */
export class JsonPart {
  constructor(
    readonly value: unknown,
    readonly file: string,
    readonly field = '',
  ) {}

  /** The part's field `name`; its value is undefined where there is none. */
  at(name: string | number): JsonPart {
    const inner = typeof name === 'number' ? `${this.field}[${name}]` : this.field ? `${this.field}.${name}` : name
    return new JsonPart((this.object() as Record<string | number, unknown>)[name], this.file, inner)
  }

  get isMissing(): boolean {
    return this.value === undefined || this.value === null
  }

  object(): Record<string, unknown> {
    if (typeof this.value === 'object' && this.value !== null) return this.value as Record<string, unknown>
    throw this.wrong('an object')
  }

  list(): JsonPart[] {
    if (Array.isArray(this.value)) return this.value.map((_, index) => this.at(index))
    throw this.wrong('a list')
  }

  /** The text; `missing` where there is none and it is given. */
  text(missing?: string): string {
    if (typeof this.value === 'string') return this.value
    if (this.isMissing && missing !== undefined) return missing
    throw this.wrong('a text')
  }

  flag(missing?: boolean): boolean {
    if (typeof this.value === 'boolean') return this.value
    if (this.isMissing && missing !== undefined) return missing
    throw this.wrong('true or false')
  }

  /** The whole number, not below zero. */
  count(missing?: number): number {
    if (Number.isSafeInteger(this.value) && (this.value as number) >= 0) return this.value as number
    if (this.isMissing && missing !== undefined) return missing
    throw this.wrong('a whole number, 0 or more,')
  }

  /** One of several texts. */
  oneOf<Text extends string>(texts: readonly Text[], missing?: Text): Text {
    const text = this.text(missing)
    if (texts.includes(text as Text)) return text as Text
    throw this.wrong(`one of ${texts.join(', ')}`)
  }

  /**
   * The entry of a table of makers for the part's `type`.
   * @param kind what the part is, for the error.
   * @param missing the type where none is written.
   */
  makerIn<Maker>(table: Readonly<Record<string, Maker>>, kind: string, missing?: string): Maker {
    const type = this.at('type').text(missing)
    const maker = Object.hasOwn(table, type) ? table[type] : undefined
    if (maker === undefined) throw this.unsupported(kind, type)
    return maker
  }

  /** The error for a value that is not what was expected. */
  wrong(expected: string): TrainerError {
    const written = this.value === undefined ? 'missing' : shortened(JSON.stringify(this.value))
    const where = this.field === '' ? this.file : `${this.file}: ${this.field}`
    return new TrainerError('file', `${where} is ${written}; ${expected} was expected.`, { fix: damagedFix })
  }

  /** The error for a part whose kind has no right counterpart here. */
  unsupported(kind: string, name: string, reason = 'is not supported'): TrainerError {
    return new UnsupportedPart(`${this.file}: ${this.field} is the ${kind} ${name}, which ${reason}.`)
  }
}

/** The object that a JSON file holds. @throws TrainerError (`file`) that names the file. */
export function parseJson(text: string, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TrainerError('file', `${path} is not valid JSON: ${(error as Error).message}.`, { cause: error })
  }
  const part = new JsonPart(value, path)
  if (Array.isArray(value)) throw part.wrong('an object')
  return part.object()
}

const damagedFix =
  'Fetch the file again, or write it anew in Python: AutoTokenizer.from_pretrained(…).save_pretrained(folder).'

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}
