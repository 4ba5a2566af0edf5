import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TrainerError } from '../../errors'
import type { WasmMemory, WasmModule } from './wasm'
import { workerSource } from './worker'

/** Work in chunks: one row of numbers each, as worker.ts describes them. */
export interface Job {
  /** 'call' calls a function; 'mark' and 'scatter' do so for rows of a table, as worker.ts says. */
  readonly kind: 'call' | 'mark' | 'scatter'
  /** The module's number, from `addModule`, and the name of the function in it. */
  readonly module: number
  readonly name: string
  /** How many of the arguments are addresses. */
  readonly pointers: number
  /** Rows of one length. They are asked for when the job's turn comes. */
  readonly chunks: Iterable<readonly number[]>
  /** Which flags count, and whether they are taken away afterwards. */
  readonly bits?: number
  readonly forget?: boolean
  /** For 'scatter': the table row that each row belongs to; small enough that every worker is given a copy. */
  readonly index?: Int32Array
}

/** Worker threads that share memories with this one. */
export interface Pool {
  readonly threads: number
  /** Makes a module known to every worker and returns its number. */
  addModule(module: WasmModule): number
  /** Makes a new or grown memory known to every worker. */
  addMemory(index: number, memory: WasmMemory): void
  /**
   * Runs a job on all workers. Jobs run one after another in the order in which they were given, each on what the one
   * before has left.
   * @returns what the function returned for each chunk, if it returns numbers
   * @throws TrainerError ('engine') when a kernel fails, when a worker has died, or when the pool is disposed of.
   */
  run(job: Job): Promise<Float64Array>
  /** Ends the workers; jobs that are not done fail. */
  dispose(): Promise<void>
}

/**
 * Where a job's chunks and results lie: at the same place for every job, as they run one after another. The workers
 * share it: memory of a job's own would be garbage to them, and they, who make little of it, hardly ever collect any.
 */
class JobMemory {
  table = sharedNumbers(1024)
  results = sharedNumbers(64)
  /** Chunks. */
  count = 0
  /** Numbers in a chunk's row. */
  stride = 0

  write(chunks: Iterable<readonly number[]>): void {
    this.count = 0
    for (const row of chunks) {
      this.stride = row.length
      const at = this.stride * this.count++
      this.table = enlarged(this.table, at + row.length)
      this.table.set(row, at)
    }
    this.results = enlarged(this.results, this.count)
  }
}

function sharedNumbers(count: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(8 * count))
}

function enlarged(numbers: Float64Array<SharedArrayBuffer>, count: number): Float64Array<SharedArrayBuffer> {
  if (numbers.length >= count) return numbers
  const grown = sharedNumbers(2 * count)
  grown.set(numbers)
  return grown
}

interface Pending {
  readonly id: number
  left: number
  error: unknown
  readonly settle: (error: unknown) => void
}

/**
 * Starts worker threads. They do not keep the process alive unless a job is running, and they sleep between jobs.
 * @param threads how many; as many as there are processors unless given.
 */
export function createPool(threads: number = availableParallelism()): Pool {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new TrainerError('argument', `The number of threads must be a whole number of at least 1, not ${threads}.`)
  }
  const counter = new SharedArrayBuffer(4)
  const memory = new JobMemory()
  let modules = 0
  let jobs = 0
  let last: Promise<unknown> = Promise.resolve()
  let pending: Pending | undefined
  let broken: TrainerError | undefined

  const breakDown = (error: TrainerError): void => {
    broken ??= error
    pending?.settle(broken)
  }
  const answered = ({ id, error }: { id: number; error: unknown }): void => {
    if (pending?.id !== id) return
    pending.error ??= error
    if (--pending.left === 0) pending.settle(pending.error)
  }
  const workers = Array.from({ length: threads }, (_, i) => startWorker(`ts-trainer ${i + 1}`, answered, breakDown))

  const perform = async (job: Job): Promise<Float64Array> => {
    if (broken !== undefined) throw broken
    const { chunks, ...rest } = job
    memory.write(chunks)
    const { table, results, count, stride } = memory
    if (count === 0) return new Float64Array()
    const busy = workers.slice(0, count)
    const id = jobs++
    new Int32Array(counter)[0] = 0
    const message = { ...rest, id, counter, table, results, count, stride }
    await new Promise<void>((resolve, reject) => {
      const settle = (error: unknown): void => {
        pending = undefined
        for (const worker of busy) worker.unref()
        if (error === undefined) resolve()
        else
          reject(
            error instanceof TrainerError
              ? error
              : failure(`The kernel "${job.name}" failed: ${String(error)}.`, error),
          )
      }
      pending = { id, left: busy.length, error: undefined, settle }
      for (const worker of busy) {
        worker.ref()
        tell(worker, message)
      }
    })
    return results.slice(0, count)
  }

  return {
    threads,
    addModule(module) {
      for (const worker of workers) tell(worker, { kind: 'module', module, index: modules })
      return modules++
    },
    addMemory(index, memory) {
      for (const worker of workers) tell(worker, { kind: 'memory', memory, index })
    },
    run(job) {
      const result = last.then(() => perform(job))
      last = result.catch(() => undefined)
      return result
    },
    async dispose() {
      breakDown(failure('The worker threads of the update have been disposed of.'))
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}

function startWorker(
  name: string,
  answered: (answer: { id: number; error: unknown }) => void,
  breakDown: (error: TrainerError) => void,
): Worker {
  // what a worker leaves behind dies young; unbounded, the young generation grows all the time, up to 48 MiB
  const worker = new Worker(workerSource, {
    eval: true,
    name,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  })
  worker.on('message', answered)
  worker.on('messageerror', cause => breakDown(failure(`The worker thread "${name}" sent what cannot be read.`, cause)))
  worker.on('error', cause => breakDown(failure(`The worker thread "${name}" failed: ${cause.message}.`, cause)))
  worker.on('exit', code => breakDown(failure(`The worker thread "${name}" ended with code ${code}.`)))
  worker.unref()
  return worker
}

function tell(worker: Worker, message: object): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  worker.postMessage(message)
}

function failure(message: string, cause?: unknown): TrainerError {
  return new TrainerError('engine', message, cause === undefined ? {} : { cause })
}
