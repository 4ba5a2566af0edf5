// the records of a run as Weights & Biases has them: messages of its wandb_internal.proto, as far as they are written
// here
import { message, type Writer, writeInteger, writeNested, writeText } from '../../protobuf'

/** What a record says: the field of its kind, and the content of that. */
export interface Content {
  readonly kind: number
  readonly write: (writer: Writer) => void
}

/** The field of each kind of record, and of what else is read. */
export const recordFields = {
  ...{ number: 1, history: 2, summary: 3, config: 5, metric: 12, control: 16, run: 17, exit: 18 },
  ...{ header: 21, environment: 26 },
} as const
/** The fields of an item of history, summary and configuration. */
export const itemFields = { key: 1, nestedKey: 2, value: 16 } as const

/** The bytes of a record. */
export function encodeRecord(number: number, { kind, write }: Content): Uint8Array {
  return message(writer => {
    writeInteger(writer, recordFields.number, number)
    // a run's end is sent to a server even where it was written offline
    if (kind === recordFields.exit) writeNested(writer, recordFields.control, () => writeInteger(writer, 5, 1))
    writeNested(writer, kind, () => write(writer))
  })
}

/** Who wrote the file, and which W&B can read it. */
export function headerOf(producer: string): Content {
  return {
    kind: recordFields.header,
    write: writer =>
      writeNested(writer, 1, () => {
        writeText(writer, 1, producer)
        writeText(writer, 2, '0.40.0') // as W&B 0.25 writes it
      }),
  }
}

/** What a run is called and belongs to; texts that are undefined are left out. */
export interface RunNames {
  readonly id: string
  readonly project: string
  readonly name: string | undefined
  readonly entity: string | undefined
  readonly group: string | undefined
  readonly jobType: string | undefined
  readonly notes: string | undefined
  readonly tags: readonly string[]
}

export function runOf(names: RunNames, host: string, started: number, platform: string): Content {
  return {
    kind: recordFields.run,
    write(writer) {
      writeText(writer, 1, names.id)
      writeOptional(writer, 2, names.entity)
      writeText(writer, 3, names.project)
      writeNested(writer, 4, () => writeItems(writer, [['_wandb', {}]]))
      writeOptional(writer, 6, names.group)
      writeOptional(writer, 7, names.jobType)
      writeOptional(writer, 8, names.name)
      writeOptional(writer, 9, names.notes)
      for (const tag of names.tags) writeText(writer, 10, tag)
      writeText(writer, 13, host)
      writeNested(writer, 17, () => writeTime(writer, started))
      writeNested(writer, 19, () => {
        writeNested(writer, 3, () => writeInteger(writer, 4, 1)) // of the features that were used: offline
        writeText(writer, 13, platform)
      })
    },
  }
}

/** The machine and the program. */
export interface Environment {
  readonly os: string
  readonly started: number
  readonly program: string
  readonly root: string
  readonly host: string
  readonly executable: string
  readonly cores: number
  readonly memory: number
  readonly writer: string
}

export function environmentOf(environment: Environment): Content {
  return {
    kind: recordFields.environment,
    write(writer) {
      writeText(writer, 1, environment.os)
      writeNested(writer, 3, () => writeTime(writer, environment.started))
      writeText(writer, 6, environment.program)
      writeText(writer, 11, environment.root)
      writeText(writer, 12, environment.host)
      writeText(writer, 14, environment.executable)
      writeInteger(writer, 16, environment.cores)
      writeInteger(writer, 17, environment.cores)
      writeNested(writer, 21, () => writeInteger(writer, 1, environment.memory))
      writeText(writer, 199, environment.writer)
    },
  }
}

/** Values by key: a list of names is a path into nested values, where a text is a key as it is. */
export type Items = Iterable<readonly [key: string | readonly string[], value: unknown]>

export function configOf(values: Items): Content {
  return { kind: recordFields.config, write: writer => writeItems(writer, values) }
}

export function summaryOf(values: Items): Content {
  return { kind: recordFields.summary, write: writer => writeItems(writer, values) }
}

export function historyOf(values: Items, step: number): Content {
  return {
    kind: recordFields.history,
    write(writer) {
      writeItems(writer, values)
      writeNested(writer, 2, () => writeInteger(writer, 1, step))
    },
  }
}

/** How a key is shown: against which other key, and whether that was said of it or of `*`. */
export function metricOf(key: string, against: string | undefined, said: 'itself' | 'glob' | 'expanded'): Content {
  return {
    kind: recordFields.metric,
    write(writer) {
      writeText(writer, said === 'glob' ? 2 : 1, key)
      writeOptional(writer, 4, against)
      writeNested(writer, 6, () => {
        if (against !== undefined) writeInteger(writer, 1, 1)
        if (said !== 'expanded') writeInteger(writer, 3, 1)
      })
      if (said !== 'expanded') return
      writeNested(writer, 9, () => writeInteger(writer, 1, 1)) // takes the place of what was said before
      writeInteger(writer, 10, 1)
    },
  }
}

export function exitOf(code: number, seconds: number): Content {
  return {
    kind: recordFields.exit,
    write(writer) {
      if (code !== 0) writeInteger(writer, 1, code)
      writeInteger(writer, 2, seconds)
    },
  }
}

function writeItems(writer: Writer, values: Items): void {
  for (const [key, value] of values)
    writeNested(writer, 1, () => {
      if (typeof key === 'string') writeText(writer, itemFields.key, key)
      else for (const part of key) writeText(writer, itemFields.nestedKey, part)
      writeText(writer, itemFields.value, jsonOf(value))
    })
}

/** JSON as Python writes it: NaN and Infinity are words of it. */
function jsonOf(value: unknown): string {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : JSON.stringify(value)
}

function writeTime(writer: Writer, milliseconds: number): void {
  writeInteger(writer, 1, Math.floor(milliseconds / 1000))
  writeInteger(writer, 2, Math.round((milliseconds % 1000) * 1e6))
}

function writeOptional(writer: Writer, field: number, value: string | undefined): void {
  if (value !== undefined) writeText(writer, field, value)
}
