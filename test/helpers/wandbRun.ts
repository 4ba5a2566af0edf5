// what stands in a run's file of Weights & Biases, read by the numbers of its wandb_internal.proto
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../../src/json'
import { asBytes, asNumber, asText, type Field, fields } from '../../src/protobuf'
import { recordsIn } from '../../src/trackers/wandb/transactionLog'

export type Values = Record<string, unknown>

/** A run's file. */
export interface ReadRun {
  readonly numbers: readonly number[]
  readonly kinds: readonly number[]
  readonly run: { readonly id: string; readonly project: string; readonly name: string }
  readonly config: Values
  /** How keys are shown: name or glob, the key that it is shown against, what else is said of it. */
  readonly metrics: readonly string[]
  readonly history: readonly Values[]
  readonly summary: Values
  /** The keys of the summary that are no row's. */
  readonly ofTheRun: readonly string[]
  readonly exitCode: number | undefined
}

const kind = { history: 2, summary: 3, config: 5, metric: 12, run: 17, exit: 18 }

export function readRun(file: string): ReadRun {
  const records = [...recordsIn(readFileSync(file), file)].map(({ record }) => [...fields(record)])
  const contents = (number: number): Field[][] =>
    records.flatMap(record => record.filter(field => field.number === number).map(field => [...fields(asBytes(field))]))
  const [run = []] = contents(kind.run)
  const history = contents(kind.history).map(itemsOf)
  const summaries = contents(kind.summary).map(itemsOf)
  const summary = Object.assign({}, ...summaries) as Values
  const exit = contents(kind.exit).at(-1)
  return {
    numbers: records.map(record => asNumber(record.find(({ number }) => number === 1)!)),
    kinds: records.map(record => record.map(({ number }) => number).find(number => ![1, 16, 200].includes(number))!),
    run: { id: textOf(run, 1), project: textOf(run, 3), name: textOf(run, 8) },
    config: Object.assign({}, ...contents(kind.config).map(itemsOf)) as Values,
    metrics: contents(kind.metric).map(metricOf),
    history,
    summary,
    ofTheRun: Object.keys(summary).filter(key => !history.some(row => key in row)),
    exitCode: exit && (exit.map(one => (one.number === 1 ? asNumber(one) : 0)).find(code => code !== 0) ?? 0),
  }
}

/** The one file of records in the newest folder of runs, and that folder. */
export function newestRun(runs: string): { folder: string; file: string; folders: readonly string[] } {
  const folders = readdirSync(runs)
    .filter(name => name.startsWith('offline-run-'))
    .toSorted()
  const folder = join(runs, folders.at(-1)!)
  const [name = ''] = readdirSync(folder).filter(entry => entry.endsWith('.wandb'))
  return { folder, file: join(folder, name), folders }
}

function itemsOf(content: readonly Field[]): Values {
  const items = content.filter(({ number }) => number === 1).map(field => [...fields(asBytes(field))])
  return Object.fromEntries(
    items.map(item => [textOf(item, 1) || textOf(item, 2), parseJson(textOf(item, 16))] as const),
  )
}

/** A text; a path of names has dots. */
function textOf(content: readonly Field[], number: number): string {
  return content
    .filter(field => field.number === number)
    .map(asText)
    .join('.')
}

function metricOf(content: readonly Field[]): string {
  const options = content.filter(({ number }) => number === 6).flatMap(field => [...fields(asBytes(field))])
  const flags = [
    ...options.map(({ number }) => ({ 1: 'step_sync', 3: 'defined' })[number]),
    ...content.map(({ number }) => ({ 9: 'overwrite', 10: 'expanded_from_glob' })[number]),
  ]
  return [textOf(content, 1) || textOf(content, 2), textOf(content, 4), ...flags.filter(Boolean)].join(' ')
}
