// an offline run that goes on: what its file holds, up to where it goes on from
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../../json'
import { asBytes, asText, fields } from '../../protobuf'
import { itemFields, recordFields } from './records'
import { stepKey } from './rows'
import { recordsIn } from './transactionLog'

/** What is there of a run, as far as it stays. */
export interface EarlierRun {
  readonly folder: string
  /** The bytes of the file that stay. */
  readonly bytes: Uint8Array
  /** Whether the file has rows behind them. */
  readonly hasLaterRows: boolean
  /** Its records so far. */
  readonly records: number
  /** Its rows of history so far. */
  readonly rows: number
  /** The seconds of its last row. */
  readonly runtime: number
  /** The keys whose axis is known. */
  readonly keys: ReadonlySet<string>
}

/** The name of the file of a run's records. */
export function recordsFile(id: string): string {
  return `run-${id}.wandb`
}

/**
 * The newest offline run of an id, up to an update.
 * @throws TrainerError (`file`) when its file is no transaction log.
 */
export async function findEarlierRun(runs: string, id: string, step: number): Promise<EarlierRun | undefined> {
  const found = await readdir(runs).catch(() => [])
  const name = found
    .filter(entry => entry.startsWith('offline-run-') && entry.endsWith(`-${id}`))
    .toSorted()
    .at(-1)
  if (name === undefined) return undefined
  const folder = join(runs, name)
  const bytes = await readFile(join(folder, recordsFile(id))).catch(() => undefined)
  return bytes === undefined || bytes.length === 0 ? undefined : { folder, ...keptOf(bytes, step, folder) }
}

/** A row stays if it is of the update or of one before it, and so does what was written before such a row. */
function keptOf(bytes: Uint8Array, step: number, name: string): Omit<EarlierRun, 'folder'> {
  const keys = new Set<string>()
  let kept = { end: 0, records: 0, rows: 0, runtime: 0 }
  let records = 0
  let hasLaterRows = false
  for (const { record, end } of recordsIn(bytes, name)) {
    records++
    const { kind, content } = contentOf(record)
    if (kind === recordFields.history) {
      const row = rowOf(content)
      hasLaterRows = (row[stepKey] ?? 0) > step
      if (hasLaterRows) break
      for (const key of Object.keys(row)) keys.add(key)
      kept = { end, records, rows: kept.rows + 1, runtime: row['_runtime'] ?? kept.runtime }
    } else if (kept.rows === 0 && isOfBeginning(kind)) kept = { ...kept, end, records }
  }
  const { end, ...counts } = kept
  return { bytes: bytes.subarray(0, end), hasLaterRows, ...counts, keys }
}

/** Kinds of records that stand before the first row, whichever that is. */
function isOfBeginning(kind: number): boolean {
  return ![recordFields.summary, recordFields.metric, recordFields.exit].includes(kind as never)
}

function contentOf(record: Uint8Array): { kind: number; content: Uint8Array } {
  const beside: readonly number[] = [recordFields.number, recordFields.control, 19, 200]
  const field = [...fields(record, 'record of Weights & Biases')].find(({ number }) => !beside.includes(number))
  return field === undefined ? { kind: 0, content: new Uint8Array() } : { kind: field.number, content: asBytes(field) }
}

/** The numbers of a row. */
function rowOf(history: Uint8Array): Record<string, number> {
  const row: Record<string, number> = {}
  for (const field of fields(history, 'history of Weights & Biases')) {
    if (field.number !== 1) continue
    const item = [...fields(asBytes(field), 'row of Weights & Biases')]
    const textOf = (number: number): string =>
      item
        .filter(one => one.number === number)
        .map(asText)
        .join('.')
    const value = parseJson(textOf(itemFields.value))
    if (typeof value === 'number') row[textOf(itemFields.nestedKey) || textOf(itemFields.key)] = value
  }
  return row
}
