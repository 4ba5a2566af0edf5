import { randomUUID } from 'node:crypto'
import { TrainerError } from '../errors'
import { configurationOf } from './configuration'
import { variable } from './environment'
import { isOfTheWholeRun, jsonValue, trackedLogs } from './logKeys'
import { serverAddress, Service } from './Service'
import type { TrackedLog, TrackedRun, TrackedSession } from './Tracker'
import { TrackerCallback } from './TrackerCallback'

/**
 * Reports to a Trackio server that runs, that of TRACKIO_SERVER_URL: config and arguments, and numbers and texts of every log
 * under Hugging Face's keys (`train/loss`, `eval/accuracy`), with the update as step. The argument `project` says where, `runName`
 * under which name. The token is the `write_token` of the address, as `trackio show` prints it, or TRACKIO_WRITE_TOKEN.
 */
export class TrackioCallback extends TrackerCallback {
  /** @throws TrainerError (`argument`) where the environment has no server or no token. */
  constructor() {
    const { url, token } = trackioServer()
    const headers = { 'x-trackio-write-token': token }
    super({
      name: 'Trackio',
      takesPredictions: true,
      open: async run =>
        new TrackioRun(run, new Service({ name: 'Trackio', url, headers, secrets: [token], signal: run.signal })),
    })
  }
}

/** Whether `reportTo: 'all'` means Trackio. */
export function isTrackioHere(): boolean {
  return variable('TRACKIO_SERVER_URL') !== undefined
}

function trackioServer(): { readonly url: string; readonly token: string } {
  const address = variable('TRACKIO_SERVER_URL')
  const fix =
    'Start one with `trackio show`, and set TRACKIO_SERVER_URL to the address that it prints, with its write_token.'
  if (address === undefined)
    throw new TrainerError('argument', 'Trackio needs TRACKIO_SERVER_URL, the address of its server.', { fix })
  const { url, query } = serverAddress(address, 'TRACKIO_SERVER_URL')
  const found = query.get('write_token') || variable('TRACKIO_WRITE_TOKEN')
  if (found === undefined) throw new TrainerError('argument', "Trackio needs its server's write token.", { fix })
  return { url, token: found }
}

class TrackioRun implements TrackedSession {
  readonly identity: { readonly run: string; readonly run_id: string }
  readonly #service: Service
  readonly #project: string

  /** What the first row brings; undefined once the server has it. */
  #config: object | undefined

  constructor(run: TrackedRun, service: Service) {
    const { run: name, run_id: id } = run.resumed ?? {}
    this.#service = service
    this.#project = run.project
    this.identity = {
      run: name ?? run.name ?? `run-${new Date().toISOString().slice(0, 19).replaceAll(/[T:]/g, '-')}`,
      run_id: id ?? run.mark,
    }
    this.#config = {
      ...configurationOf(run),
      _Username: null,
      _Created: new Date().toISOString(),
      _Group: null,
    }
  }

  async log(entries: readonly TrackedLog[]): Promise<void> {
    const rows = entries.map(({ logs, step }) => {
      const curves = Object.fromEntries(Object.entries(logs).filter(([key]) => !isOfTheWholeRun(key)))
      const values = Object.entries(trackedLogs(curves, 'Trackio', ['number', 'string']))
      const metrics = Object.fromEntries(values.map(([key, value]) => [key, jsonValue(value)]))
      return { metrics: { ...metrics, 'train/global_step': step }, step }
    })
    await this.#post(rows)
  }

  async finish(): Promise<void> {}

  /** A row's `log_id` tells the server which it has already, where a request is made again. */
  async #post(rows: readonly { readonly metrics: object; readonly step: number }[]): Promise<void> {
    const logs = rows.map(({ metrics, step }, i) => ({
      project: this.#project,
      ...this.identity,
      metrics,
      step,
      config: (i === 0 && this.#config) || null,
      log_id: randomUUID().replaceAll('-', ''),
    }))
    const answer = await this.#service.request('POST', '/api/bulk_log', { args: [], kwargs: { logs, hf_token: null } })
    const { error } = (answer ?? {}) as { error?: unknown }
    if (error !== undefined && error !== null) this.#service.fail(`refuses the log: ${String(error)}`)
    this.#config = undefined
  }
}
