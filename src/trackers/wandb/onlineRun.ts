// a run that a server of Weights & Biases keeps, by the package @wandb/sdk in a thread of its own
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { sentenceOf, TrainerError } from '../../errors'
import { log } from '../../logging'
import { configurationOf } from '../configuration'
import type { RunEnd, TrackedLog, TrackedRun, TrackedSession } from '../Tracker'
import { partsOf, stepKey } from './rows'
import { sdkFile } from './sdk'
import { sdkWorker } from './sdkWorker'
import { isResumeAskedFor, namesOf, newRunId, savedRunId, serverUrl } from './settings'

/** What the thread says. */
interface Answer {
  readonly kind: 'open' | 'warning' | 'failed' | 'finished'
  readonly text?: string
  /** Whether it may come to another end when it is tried again. */
  readonly again?: boolean
}

/** The longest pause between two tries to begin a run, in milliseconds. */
const longestPause = 30_000

/**
 * Begins a run of a server, or goes on with one. A server that is not reached is asked again, for as long as the run lasts; what
 * is logged until then waits. The run's identity is known at once: a checkpoint may be written before the server answers.
 * @throws TrainerError (`argument`) where the package is not installed.
 */
export function openOnlineRun(run: TrackedRun): TrackedSession {
  const sdk = sdkFile()
  if (sdk === undefined)
    throw new TrainerError('argument', 'The package @wandb/sdk is not installed.', {
      fix: 'npm install @wandb/sdk, or set WANDB_MODE=offline, which needs no package.',
    })
  const known = savedRunId(run)
  const id = known ?? newRunId(run)
  const given = {
    ...{ sdk, stepKey, resumes: known !== undefined || isResumeAskedFor(), baseUrl: serverUrl() },
    names: namesForServer(run, id),
    config: JSON.parse(JSON.stringify(configurationOf(run))) as object,
  }
  return new OnlineRun(id, beginning(given, run.signal), run.signal)
}

/** The thread of a run that a server has begun. @throws Error where the server refuses it. */
async function beginning(given: object, signal: AbortSignal): Promise<RunThread> {
  for (let pause = 1000; ; pause = Math.min(2 * pause, longestPause)) {
    const thread = new RunThread(given, signal)
    const answer = await thread.opened
    if (answer.kind === 'open') {
      log('info', `Weights & Biases: the run is at ${answer.text}.`)
      return thread
    }
    await thread.end()
    if (answer.again !== true || signal.aborted) throw new Error(answer.text)
    if (pause === 1000)
      log('warning', `Weights & Biases: ${sentenceOf(answer.text)} It is tried again while training goes on.`)
    await wait(pause, undefined, { signal, ref: false })
  }
}

function namesForServer(run: TrackedRun, id: string): object {
  const { project, name, entity } = namesOf(run, id)
  return { id, project, ...(name !== undefined && { name }), ...(entity !== undefined && { entity }) }
}

class OnlineRun implements TrackedSession {
  readonly identity: { readonly id: string }
  /** Undefined where the server has refused the run, which has been told then. */
  readonly #thread: Promise<RunThread | undefined>

  constructor(id: string, thread: Promise<RunThread>, signal: AbortSignal) {
    this.identity = { id }
    this.#thread = thread.catch((error: unknown) => {
      if (!signal.aborted) log('warning', `Weights & Biases is not reported to: ${sentenceOf(error)} Training goes on.`)
      return undefined
    })
  }

  async log(entries: readonly TrackedLog[]): Promise<void> {
    const thread = await this.#thread
    for (const { logs, step } of entries) {
      const { row, summary } = partsOf(logs, step)
      thread?.tell({ kind: 'log', row, ofRun: summary })
    }
  }

  async finish(end: RunEnd): Promise<void> {
    const thread = await this.#thread
    thread?.tell({ kind: 'finish', code: end === 'failed' ? 1 : 0 })
    await thread?.finished
    await thread?.end()
  }
}

/** The thread that the package runs in; it keeps no process alive, and ends with the signal. */
class RunThread {
  /** Settles with the first thing that it says of the run's beginning. */
  readonly opened: Promise<Answer>
  readonly finished: Promise<void>
  readonly #worker: Worker
  #ended: Error | undefined

  constructor(given: object, signal: AbortSignal) {
    const worker = new Worker(sdkWorker, {
      eval: true,
      name: 'Weights & Biases',
      execArgv: [],
      workerData: given,
      // threads within the thread are what this switches on
      env: { ...process.env, WANDB_WORKER: '' },
      stdout: true,
      stderr: true,
    })
    this.#worker = worker
    worker.stdout.resume()
    worker.stderr.resume()
    this.opened = new Promise(resolve => {
      worker.on('message', (answer: Answer) => this.#hear(answer, resolve))
      worker.on('error', error => this.#close(error, resolve))
      worker.on('exit', () => this.#close(new Error('the thread of @wandb/sdk has ended.'), resolve))
    })
    this.finished = new Promise((resolve, reject) => {
      worker.on('message', ({ kind }: Answer) => kind === 'finished' && resolve())
      worker.on('exit', () => reject(this.#ended!))
    })
    this.finished.catch(() => undefined)
    const abort = (): void => void this.end()
    signal.addEventListener('abort', abort, { once: true })
    worker.on('exit', () => signal.removeEventListener('abort', abort))
    worker.unref()
    if (signal.aborted) abort()
  }

  /** @throws Error when it has ended. */
  tell(message: object): void {
    if (this.#ended !== undefined) throw this.#ended
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    this.#worker.postMessage(message)
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #hear(answer: Answer, opened: (answer: Answer) => void): void {
    if (answer.kind === 'warning') log('warning', `Weights & Biases: ${answer.text}`)
    else opened(answer)
  }

  #close(error: Error, opened: (answer: Answer) => void): void {
    this.#ended ??= error
    opened({ kind: 'failed', text: error.message })
  }
}
