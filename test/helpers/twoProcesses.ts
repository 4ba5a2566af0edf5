// Training by a group of two, each in a thread of its own: this file is both, what starts them and what runs there.
import { isMainThread, MessageChannel, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { Dataset, type ModelConfig, setLogLevel, Trainer, type TrainingArgumentsOptions } from '../../src/index'
import { alone, type ProcessGroup, type Sums } from '../../src/processes/ProcessGroup'
import { collate } from './collate'
import { quietTrainer } from './quietTrainer'
import { tinyModel } from './tinyModel'
import { dropoutConfig, randomDataset } from './trainingProcess'

/** A run; each process has a folder of its own. */
export interface GroupTask {
  readonly outputDir: string
  readonly config?: Partial<ModelConfig>
  /** Rows of the dataset; 48 unless given. */
  readonly rows?: number
  readonly args: TrainingArgumentsOptions
}

/** What a run came to, in full precision. */
export interface GroupReport {
  readonly losses: readonly number[]
  readonly norms: readonly number[]
  readonly weights: Readonly<Record<string, Float32Array>>
}

/** What one of the threads does. */
interface Part {
  readonly task: GroupTask
  readonly rank: number
  readonly port: MessagePort
}

/** Node reads a thread's own file before loaders are there: so this one registers tsx first. */
const start = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`

/** Runs a task by two threads, each on half of every update's rows; gives the reports of both. */
export async function trainByTwo(tasks: readonly [GroupTask, GroupTask]): Promise<readonly GroupReport[]> {
  const { port1, port2 } = new MessageChannel()
  return Promise.all(
    [port1, port2].map((port, rank) => {
      const part: Part = { task: tasks[rank]!, rank, port }
      const worker = new Worker(start, { eval: true, workerData: part, transferList: [port] })
      return new Promise<GroupReport>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    }),
  )
}

/** Runs a task in this thread alone, on all rows. */
export function trainAlone(task: GroupTask): Promise<GroupReport> {
  return train(task, alone)
}

async function train({ outputDir, config, args, rows = 48 }: GroupTask, group: ProcessGroup): Promise<GroupReport> {
  class Grouped extends Trainer {
    protected override readonly processes = group
  }
  const trainer = quietTrainer(
    {
      model: tinyModel({ ...dropoutConfig, ...config }, { numLabels: 3 }),
      args: { outputDir, reportTo: 'none', logLevel: 'error', threads: 1, ...args },
      trainDataset: shareOf(randomDataset(rows, 'class', 1), group, args.perDeviceTrainBatchSize!),
      dataCollator: collate,
    },
    Grouped,
  )
  await trainer.train()
  const logged = trainer.state.logHistory.filter(({ loss }) => loss !== undefined)
  const weights = [...trainer.model.parameters].map(([name, { data }]) => [name, Float32Array.from(data)] as const)
  await trainer.dispose()
  return {
    losses: logged.map(({ loss }) => Number(loss)),
    norms: logged.map(({ grad_norm }) => Number(grad_norm)),
    weights: Object.fromEntries(weights),
  }
}

/** The group of two, over a port: what is sent and what comes are added in the order of the ranks. */
function groupOver(port: MessagePort, rank: number): ProcessGroup {
  const waiting: Sums[][] = []
  let wake: (() => void) | undefined
  port.on('message', (arrays: Sums[]) => {
    waiting.push(arrays)
    wake?.()
  })
  return {
    rank,
    size: 2,
    async allReduce(arrays) {
      port.postMessage(arrays.map(array => array.slice()))
      if (waiting.length === 0) await new Promise<void>(resolve => (wake = resolve))
      const others = waiting.shift()!
      arrays.forEach((own, i) => {
        const other = others[i]!
        if (other.length !== own.length)
          throw new Error(`array ${i} has ${own.length} numbers here, ${other.length} there`)
        for (let at = 0; at < own.length; at++) own[at] = rank === 0 ? own[at]! + other[at]! : other[at]! + own[at]!
      })
    },
  }
}

/** Of every batch for each process the one that is this one's. */
function shareOf(all: ReturnType<typeof randomDataset>, { rank, size }: ProcessGroup, batchSize: number): typeof all {
  return Dataset.fromRows([...all].filter((_, row) => Math.floor(row / batchSize) % size === rank))
}

async function work({ task, rank, port }: Part): Promise<void> {
  setLogLevel('error')
  const report = await train(task, groupOver(port, rank))
  port.close()
  parentPort!.postMessage(report, [])
}

if (!isMainThread && (workerData as Part | null)?.port !== undefined) await work(workerData as Part)
