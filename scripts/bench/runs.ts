// what all runs of one call have in common, and what each is given
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { memoryInterval } from './figures'
import type { Job } from './job'
import { type BenchOptions, type RivalName, rivals } from './options'
import { runProducts } from './processes'
import type { Work } from './work'

export const root = join(import.meta.dirname, '../..')
/** Steps before those that are timed. */
export const warmup = 5

/** What all runs of one call have in common. */
export interface Bench {
  readonly options: BenchOptions
  readonly work: Work
  readonly folder: string
  /** Undefined where there is none, or no rival is asked for. */
  readonly python: string | undefined
}

export type Side = 'ts-trainer' | RivalName

/** What the measured processes import. */
export function libraryModule({ built }: BenchOptions): string {
  return pathToFileURL(join(root, built ? 'dist/index.mjs' : 'src/index.ts')).href
}

/** A run of one side. */
export function jobOf(
  { options, work, folder }: Bench,
  side: Side,
  own: Pick<Job, 'steps' | 'keepLosses' | 'config'>,
): Job {
  const rival = side === 'ts-trainer' ? { bf16: options.precision === 'bfloat16', grouped: false } : rivals[side]
  return {
    ...own,
    ...rival,
    warmup,
    seed: 42,
    model: work.model,
    tokenizer: work.tokenizer,
    rows: work.rows,
    numLabels: work.numLabels,
    batch: options.batch,
    output: join(folder, side),
    result: join(folder, `${side}.json`),
    threads: availableParallelism(),
    memoryInterval,
    module: libraryModule(options),
  }
}

/** ONNX Runtime's rate in bare products, in operations a second. */
export async function bareRates(
  { options: { precision }, work: { flops }, folder }: Bench,
  tokens: number,
): Promise<Readonly<Record<string, number>>> {
  const { rates } = await runProducts({
    tokens,
    width: flops.width,
    innerWidth: flops.innerWidth,
    precision,
    result: join(folder, 'products.json'),
  })
  return rates
}
