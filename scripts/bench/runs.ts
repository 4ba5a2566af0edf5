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
  const { bf16, grouped } = side === 'ts-trainer' ? { bf16: false, grouped: false } : rivals[side]
  return {
    ...own,
    device: options.device,
    precision: side === 'ts-trainer' || options.device !== 'cpu' ? options.precision : bf16 ? 'bfloat16' : 'float32',
    grouped,
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

/** ONNX Runtime's rate in bare products on the processor, in operations a second; none on a device. */
export async function bareRates(
  { options: { device, precision }, work: { flops }, folder }: Bench,
  tokens: number,
): Promise<Readonly<Record<string, number>>> {
  if (device !== 'cpu' || (precision !== 'float32' && precision !== 'bfloat16')) return {}
  const { rates } = await runProducts({
    tokens,
    width: flops.width,
    innerWidth: flops.innerWidth,
    precision,
    result: join(folder, 'products.json'),
  })
  return rates
}
