import { userInfo } from 'node:os'
import { log, logOnce } from '../logging'
import { jsonValue, valuesOf } from './logKeys'
import { type KeyValue, longestOldValue, paramsOf, plainKey, withoutLong } from './mlflow/params'
import { type MLflowSettings, mlflowSettings } from './mlflow/settings'
import { Service, ServiceError } from './Service'
import type { RunEnd, RunIdentity, TrackedLog, TrackedRun, TrackedSession } from './Tracker'
import { TrackerCallback } from './TrackerCallback'

/** How many parameters, tags and metrics a request may have. */
const mostAtOnce = { params: 100, metrics: 1000 }
const api = '/api/2.0/mlflow'
/** The tag that a run has been given before its id was known. */
const markTag = 'ts_trainer.run'

/**
 * Reports to an MLflow server, by its REST interface: config and arguments as parameters, numbers of every log as metrics with
 * step and time, under the keys of the log, as Hugging Face does. The server is that of MLFLOW_TRACKING_URI;
 * MLFLOW_EXPERIMENT_NAME, MLFLOW_RUN_ID, MLFLOW_TAGS, MLFLOW_FLATTEN_PARAMS, MLFLOW_MAX_LOG_PARAMS and the credentials of
 * MLFLOW_TRACKING_USERNAME and _PASSWORD or _TOKEN are read when the callback is made.
 */
export class MLflowCallback extends TrackerCallback {
  /** @throws TrainerError (`argument`) where the environment has no server, or asks for what cannot be done here. */
  constructor() {
    const settings = mlflowSettings()
    let { runId } = settings // the first run attaches to it, and those of later trainings are new
    super({
      name: 'MLflow',
      open: async run => {
        const attached = runId
        runId = undefined
        return MLflowRun.open(run, settings, attached)
      },
    })
  }
}

class MLflowRun implements TrackedSession {
  readonly #service: Service
  readonly #id: string

  readonly identity: RunIdentity

  private constructor(service: Service, id: string, mark: string) {
    this.#service = service
    this.#id = id
    this.identity = { run_id: id, mark }
  }

  static async open(run: TrackedRun, settings: MLflowSettings, attached: string | undefined): Promise<MLflowRun> {
    const { url, headers, secrets } = settings
    const service = new Service({ name: 'MLflow', url, headers, secrets, signal: run.signal })
    const experiment = await experimentOf(service, settings)
    const known = await knownRun(service, attached, run.resumed, experiment)
    const tags = Object.entries({ ...settings.tags, [markTag]: run.mark }).map(([key, value]) => ({ key, value }))
    const id = known?.id ?? (await createRun(service, run, experiment, tags))
    const session = new MLflowRun(service, id, run.mark)
    if (known !== undefined) {
      await service.request('POST', `${api}/runs/update`, { run_id: id, status: 'RUNNING' })
      await session.#send({ tags })
    }
    const params = paramsOf(run, { flattens: settings.flattensParams, most: settings.mostParams })
    await session.#logParams(params.filter(({ key }) => known?.params.has(key) !== true))
    return session
  }

  async log(entries: readonly TrackedLog[]): Promise<void> {
    const metrics = entries.flatMap(({ logs, step, time: timestamp }) =>
      valuesOf(logs, 'MLflow', ['number']).map(([key, value]) => {
        return { key: plainKey(key), value: jsonValue(value), timestamp, step }
      }),
    )
    for (const part of parts(metrics, mostAtOnce.metrics)) await this.#send({ metrics: part })
  }

  async finish(end: RunEnd): Promise<void> {
    const status = end === 'finished' ? 'FINISHED' : 'FAILED'
    await this.#service.request('POST', `${api}/runs/update`, { run_id: this.#id, status, end_time: Date.now() })
  }

  /** Old servers take shorter values than today's: what they refuse is sent once more without the long ones. */
  async #logParams(params: readonly KeyValue[]): Promise<void> {
    for (const part of parts(params, mostAtOnce.params)) {
      try {
        await this.#send({ params: part })
      } catch (error) {
        const isRefused = error instanceof ServiceError && error.code === 'INVALID_PARAMETER_VALUE'
        if (!isRefused || part.every(({ value }) => value.length <= longestOldValue)) throw error
        await this.#send({ params: withoutLong(part, longestOldValue) })
      }
    }
  }

  async #send(batch: object): Promise<void> {
    await this.#service.request('POST', `${api}/runs/log-batch`, { run_id: this.#id, ...batch })
  }
}

/** A run that is there already, with the keys of its parameters, which cannot be changed. */
interface KnownRun {
  readonly id: string
  readonly params: ReadonlySet<string>
}

/**
 * The run to go on with: that of MLFLOW_RUN_ID, which has to be there, or that of the checkpoint, if the server has
 * it.
 */
async function knownRun(
  service: Service,
  attached: string | undefined,
  resumed: RunIdentity | undefined,
  experiment: string,
): Promise<KnownRun | undefined> {
  const saved = resumed?.['run_id'] ?? (await markedRun(service, resumed?.['mark'], experiment))
  const id = attached ?? saved
  if (id === undefined) return undefined
  try {
    const { run } = (await service.request('GET', `${api}/runs/get?run_id=${encodeURIComponent(id)}`)) as RunAnswer
    if (run.info.lifecycle_stage === 'deleted') throw new ServiceError(`MLflow's run ${id} was deleted`, 404)
    return { id: run.info.run_id, params: new Set(run.data?.params?.map(({ key }) => key)) }
  } catch (error) {
    const isMissing = error instanceof ServiceError && (error.status === 404 || error.status === 400)
    if (!isMissing || attached !== undefined) throw error
    log('warning', `MLflow has no run ${id}, which the checkpoint names: a new one is begun.`)
    return undefined
  }
}

/** The run of a checkpoint that was written before the server had answered: the one with that mark. */
async function markedRun(service: Service, mark: string | undefined, experiment: string): Promise<string | undefined> {
  if (mark === undefined || !/^\w+$/.test(mark)) return undefined
  const filter = `tags.\`${markTag}\` = '${mark}'`
  const found = await service.request('POST', `${api}/runs/search`, { experiment_ids: [experiment], filter })
  return (found as { readonly runs?: readonly RunAnswer['run'][] }).runs?.[0]?.info.run_id
}

interface RunAnswer {
  readonly run: {
    readonly info: { readonly run_id: string; readonly lifecycle_stage?: string }
    readonly data?: { readonly params?: readonly { readonly key: string }[] }
  }
}

async function createRun(
  service: Service,
  { name }: TrackedRun,
  experimentId: string,
  own: readonly KeyValue[],
): Promise<string> {
  const tags = [
    ...own,
    { key: 'mlflow.user', value: userName() },
    { key: 'mlflow.source.name', value: process.argv[1] ?? process.argv0 },
    { key: 'mlflow.source.type', value: 'LOCAL' },
  ]
  const body = {
    experiment_id: experimentId,
    start_time: Date.now(),
    tags,
    ...(name !== undefined && { run_name: name }),
  }
  const { run } = (await service.request('POST', `${api}/runs/create`, body, true)) as RunAnswer
  return run.info.run_id
}

/** The id of the experiment of the environment, which is made where it is missing; that of "Default" is 0. */
async function experimentOf(service: Service, { experimentName: name, experimentId }: MLflowSettings): Promise<string> {
  if (name === undefined) return experimentId ?? '0'
  try {
    return await experimentNamed(service, name)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.status !== 404) throw error
  }
  try {
    const made = (await service.request('POST', `${api}/experiments/create`, { name }, true)) as {
      experiment_id: string
    }
    logOnce('info', `MLflow's experiment ${name} was made.`)
    return made.experiment_id
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'RESOURCE_ALREADY_EXISTS') throw error
    return experimentNamed(service, name) // another process was quicker
  }
}

async function experimentNamed(service: Service, name: string): Promise<string> {
  const path = `${api}/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`
  const { experiment } = (await service.request('GET', path)) as {
    experiment: { experiment_id: string; lifecycle_stage?: string }
  }
  if (experiment.lifecycle_stage === 'deleted')
    throw new ServiceError(`MLflow's experiment ${name} was deleted: restore it, or set another MLFLOW_EXPERIMENT_NAME`)
  return experiment.experiment_id
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown' // a user without an entry, as in containers
  }
}

function parts<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
