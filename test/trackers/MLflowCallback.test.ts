import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { MLflowCallback } from '../../src/index'
import { paramsOf, pythonText } from '../../src/trackers/mlflow/params'
import { createTrainer, logged, run } from '../trainer/support'
import { type Answer, fakeServer, type Request } from './fakeServer'

afterEach(() => vi.unstubAllEnvs())
const env = (values: Readonly<Record<string, string>>): void =>
  Object.entries(values).forEach(([name, value]) => void vi.stubEnv(name, value))

/** Answers as MLflow's REST interface does; parts of it may be replaced. */
const mlflow =
  (own: (request: Request) => Answer | undefined = () => undefined) =>
  (request: Request): Answer => {
    const name = /mlflow\/([\w/-]+)/.exec(request.path)?.[1]
    const missing = { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'There is none.' } }
    const answers: Readonly<Record<string, Answer>> = {
      'experiments/get-by-name': missing,
      'experiments/create': { body: { experiment_id: '7' } },
      'runs/create': { body: { run: { info: { run_id: 'r1' } } } },
      'runs/get': {
        body: { run: { info: { run_id: 'r1' }, data: { params: [{ key: 'seed', value: '42' }] } } },
      },
      'runs/search': { body: {} },
    }
    return own(request) ?? answers[name!] ?? {}
  }

const pathsOf = (requests: readonly Request[]): string[] =>
  requests.map(({ path }) => path.replace('/api/2.0/mlflow/', '').replace(/\?.*/, ''))

describe("reportTo: 'mlflow'", () => {
  it('makes experiment and run, sends parameters in hundreds, metrics with step and time, and the end', async () => {
    const { url, requests } = await fakeServer(mlflow())
    env({ MLFLOW_TRACKING_URI: `${url}/`, MLFLOW_EXPERIMENT_NAME: 'mine', MLFLOW_TAGS: '{"stage": 1}' })
    const before = Date.now()
    await run({ reportTo: 'mlflow', runName: 'first', maxSteps: 2 })
    const paths = pathsOf(requests)
    expect(paths.slice(0, 3)).toEqual(['experiments/get-by-name', 'experiments/create', 'runs/create'])
    expect(paths.at(-1)).toBe('runs/update')
    expect(requests[2]!.body).toMatchObject({ experiment_id: '7', run_name: 'first' })
    expect(requests[2]!.body.tags).toContainEqual({ key: 'stage', value: '1' })
    const batches = requests.filter(({ path }) => path.endsWith('log-batch')).map(({ body }) => body)
    const params = batches.flatMap(({ params = [] }) => params as { key: string; value: string }[])
    expect(batches.every(({ params = [] }) => params.length <= 100)).toBe(true)
    expect(params.length).toBeGreaterThan(100)
    expect(params).toContainEqual({ key: 'learning_rate', value: '0.01' })
    expect(params).toContainEqual({ key: 'hidden_size', value: '8' })
    const metrics = batches.flatMap(({ metrics = [] }) => metrics as Record<string, number | string>[])
    const losses = metrics.filter(({ key }) => key === 'loss')
    expect(losses.map(({ step }) => step)).toEqual([1, 2])
    expect(losses.every(({ timestamp }) => Number(timestamp) >= before && Number(timestamp) <= Date.now())).toBe(true)
    expect(requests.at(-1)!.body).toMatchObject({ run_id: 'r1', status: 'FINISHED' })
  })

  it('marks a run that has failed', async () => {
    const { url, requests } = await fakeServer(mlflow())
    env({ MLFLOW_TRACKING_URI: url })
    const failing = {
      onStepEnd: () => {
        throw new Error('no')
      },
    }
    await expect(run({ reportTo: 'mlflow' }, { callbacks: [failing] })).rejects.toThrow('no')
    expect(requests.at(-1)!.body).toMatchObject({ status: 'FAILED' })
    expect(requests.find(({ path }) => path.endsWith('runs/create'))!.body.experiment_id).toBe('0')
  })

  it('goes on with the run of the checkpoint, whose parameters stay', async () => {
    const { url, requests } = await fakeServer(mlflow())
    env({ MLFLOW_TRACKING_URI: url })
    const args = { reportTo: 'mlflow', saveStrategy: 'steps', saveSteps: 2 } as const
    const { outputDir, trainer } = await run({ ...args, maxSteps: 2 })
    await trainer.evaluate()
    const marks = requests.flatMap(({ body }) => (body?.tags ?? []) as { key: string; value: string }[])
    expect(new Set(marks.flatMap(({ key, value }) => (key === 'ts_trainer.run' ? [value] : []))).size).toBe(1)
    requests.length = 0
    await run({ ...args, outputDir, maxSteps: 3 }, { resumeFromCheckpoint: true })
    expect(pathsOf(requests).slice(0, 2)).toEqual(['runs/get', 'runs/update'])
    expect(requests[1]!.body).toEqual({ run_id: 'r1', status: 'RUNNING' })
    expect(requests.some(({ path }) => path.endsWith('create'))).toBe(false)
    const keys = requests.flatMap(({ body }) => (body?.params ?? []) as { key: string }[]).map(({ key }) => key)
    expect(keys).toContain('learning_rate')
    expect(keys).not.toContain('seed')
  })

  it('finds the run of a checkpoint that was written before the server had answered, by its mark', async () => {
    const { url, requests } = await fakeServer(
      mlflow(({ path }) => (path.endsWith('search') ? { body: { runs: [{ info: { run_id: 'r1' } }] } } : undefined)),
    )
    env({ MLFLOW_TRACKING_URI: url })
    const callback = new MLflowCallback()
    const trainer = createTrainer({}, { callbacks: [callback] })
    callback.restore({ args: {}, attributes: { run: { mark: 'abc' } } })
    await trainer.evaluate()
    expect(requests[0]!.body.filter).toBe("tags.`ts_trainer.run` = 'abc'")
    expect(pathsOf(requests)).toContain('runs/get')
  })

  it('begins a new run, with a warning, where the server has not that of the checkpoint', async () => {
    const none = { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no' } }
    const { url, requests } = await fakeServer(mlflow(({ path }) => (path.includes('runs/get') ? none : undefined)))
    env({ MLFLOW_TRACKING_URI: url })
    const messages = logged()
    const callback = new MLflowCallback()
    callback.restore({ args: {}, attributes: { run: { run_id: 'old' } } })
    await createTrainer({}, { callbacks: [callback] }).evaluate()
    expect(messages).toEqual(['MLflow has no run old, which the checkpoint names: a new one is begun.'])
    expect(pathsOf(requests)).toContain('runs/create')
  })

  it('attaches the first training to MLFLOW_RUN_ID', async () => {
    const { url, requests } = await fakeServer(mlflow())
    env({ MLFLOW_TRACKING_URI: url, MLFLOW_RUN_ID: 'r1' })
    const trainer = createTrainer({ reportTo: 'mlflow', maxSteps: 1 })
    await trainer.train()
    expect(requests.some(({ path }) => path.endsWith('create'))).toBe(false)
    await trainer.train()
    expect(pathsOf(requests)).toContain('runs/create')
  })

  it('sends values that are not finite as texts', async () => {
    const { url, requests } = await fakeServer(mlflow())
    env({ MLFLOW_TRACKING_URI: url })
    await createTrainer({ reportTo: 'mlflow' }).log({ a: NaN, 'b(c)': -Infinity })
    const metrics = requests.flatMap(({ body }) => body?.metrics ?? []) as Record<string, unknown>[]
    expect(metrics.map(({ key, value }) => [key, value])).toEqual([
      ['a', 'NaN'],
      ['b_c_', '-Infinity'],
      ['epoch', 0],
    ])
  })

  it('sends parameters that an old server refuses once more, without the long ones', async () => {
    const messages = logged()
    const long = 'x'.repeat(400)
    const { url, requests } = await fakeServer(
      mlflow(({ body, path }) =>
        path.endsWith('log-batch') && JSON.stringify(body).includes(long)
          ? { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'too long' } }
          : undefined,
      ),
    )
    env({ MLFLOW_TRACKING_URI: url })
    await run({ reportTo: 'mlflow', maxSteps: 1, runName: long })
    const keys = requests.flatMap(({ body }) => (body?.params ?? []) as { key: string }[]).map(({ key }) => key)
    expect(keys).toContain('project') // of the same batch
    expect(messages.join()).toContain(
      'MLflow takes parameters of up to 250 characters: run_name is longer, and left out.',
    )
  })
})

describe('credentials', () => {
  const secret = 'S3cr3t'
  it.each([
    [{ MLFLOW_TRACKING_TOKEN: secret }, '', `Bearer ${secret}`],
    [{ MLFLOW_TRACKING_USERNAME: 'u', MLFLOW_TRACKING_PASSWORD: secret }, '', `Basic ${btoa(`u:${secret}`)}`],
    [{}, `u:${secret}@`, `Basic ${btoa(`u:${secret}`)}`],
    [{}, `u:50%off${secret}@`, `Basic ${btoa(`u:50%off${secret}`)}`],
  ])('%j %s are sent, and stand in no message', async (given, inUrl, expected) => {
    const echo = (request: Request): Answer => ({
      status: 403,
      body: { message: `not for ${request.headers.authorization}` },
    })
    const { url, requests } = await fakeServer(echo)
    env({ ...(given as Record<string, string>), MLFLOW_TRACKING_URI: url.replace('//', `//${inUrl}`) })
    const messages = logged('debug')
    await run({ reportTo: 'mlflow', maxSteps: 1 })
    expect(requests[0]!.headers.authorization).toBe(expected)
    expect(messages.join()).toContain("MLflow is not reported to any longer: MLflow's server")
    expect(messages.join()).toContain('answered 403: not for ')
    expect(messages.join()).not.toMatch(new RegExp(`${secret}|${expected.split(' ')[1]}`))
  })

  it('stand in no message that is cut where they are', async () => {
    const { url } = await fakeServer(() => ({ status: 403, body: { message: `${'.'.repeat(283)}${secret}!` } }))
    env({ MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: secret })
    const messages = logged('debug')
    await run({ reportTo: 'mlflow', maxSteps: 1 })
    expect(messages.join()).toMatch(/answered 403: \.{283}\*{3}…/)
    expect(messages.join()).not.toContain('S3')
  })

  it('stand in no file of the output folder', async () => {
    const { url } = await fakeServer(mlflow())
    env({ MLFLOW_TRACKING_URI: url.replace('//', `//u:${secret}@`), MLFLOW_TRACKING_TOKEN: secret })
    const reportTo = ['mlflow', 'tensorboard', 'jsonl'] as const
    const { outputDir } = await run({ reportTo, maxSteps: 2, saveStrategy: 'steps', saveSteps: 1 })
    const entries = readdirSync(outputDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    expect(entries.length).toBeGreaterThan(10)
    const telling = entries.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(secret))
    expect(telling).toEqual([])
  })

  it('do not follow a redirect', async () => {
    const elsewhere = await fakeServer(() => ({}))
    const { url } = await fakeServer(() => ({ status: 302, headers: { location: elsewhere.url } }))
    env({ MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: secret })
    const messages = logged()
    await run({ reportTo: 'mlflow', maxSteps: 1 })
    expect(elsewhere.requests).toEqual([])
    expect(messages.join()).toContain(`redirects to ${elsewhere.url}: give that address`)
  })
})

describe('what is refused', () => {
  const server = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' }
  it.each([
    [
      { MLFLOW_TRACKING_URI: '' },
      'MLflow needs MLFLOW_TRACKING_URI, the address of its server. Start a server with `mlflow server',
    ],
    [
      { MLFLOW_TRACKING_URI: 'file:///mlruns' },
      'MLFLOW_TRACKING_URI is of the kind file, but MLflow is reached here at a server',
    ],
    [{ MLFLOW_TRACKING_URI: './mlruns' }, 'MLFLOW_TRACKING_URI is a path, but'],
    [
      { MLFLOW_TRACKING_URI: 'databricks://profile' },
      'is of the kind databricks, but MLflow is reached here at a server (http or https) only. Leave mlflow out of reportTo.',
    ],
    [{ ...server, HF_MLFLOW_LOG_ARTIFACTS: '1' }, 'HF_MLFLOW_LOG_ARTIFACTS is refused: checkpoints are not sent'],
    [{ ...server, MLFLOW_NESTED_RUN: 'true' }, 'MLFLOW_NESTED_RUN is refused: a run is nested in one that is active'],
    [{ ...server, DISABLE_MLFLOW_INTEGRATION: 'TRUE' }, 'DISABLE_MLFLOW_INTEGRATION is refused'],
    [{ ...server, MLFLOW_TAGS: '[1' }, 'MLFLOW_TAGS should be an object of JSON, but is [1.'],
  ])('%j', (given, message) => {
    env(given as Record<string, string>)
    expect(() => createTrainer({ reportTo: 'mlflow' })).toThrow(message)
  })

  it("and reportTo: 'all' leaves it out where no server is named", () => {
    const names = (): string[] =>
      createTrainer({ reportTo: 'all' }).callbackHandler.callbacks.map(one => one.constructor.name)
    env({ MLFLOW_TRACKING_URI: '' })
    expect(names()).not.toContain('MLflowCallback')
    env(server)
    expect(names()).toContain('MLflowCallback')
    env({ DISABLE_MLFLOW_INTEGRATION: 'TRUE' })
    expect(names()).not.toContain('MLflowCallback')
  })
})

describe('parameters', () => {
  // Python's str() of each
  it.each([
    [null, 'None'],
    [true, 'True'],
    [5e-5, '5e-05'],
    [3, '3'],
    [1e-8, '1e-08'],
    ["it's", "it's"],
    [["it's", '"', 'a\nb', null], `["it's", '"', 'a\\nb', None]`],
    [{ a: [0.9, 1], b: { c: false } }, "{'a': [0.9, 1], 'b': {'c': False}}"],
  ])('%j is written as in Python: %s', (value, expected) => {
    expect(pythonText(value)).toBe(expected)
  })

  it('may be flattened, and counted', () => {
    const given = { modelConfig: { label2id: { 'A (b)': 0 }, empty: {} }, args: { seed: 1, list: [1] } }
    expect(paramsOf(given, { flattens: true, most: Infinity })).toEqual([
      { key: 'label2id.A _b_', value: '0' },
      { key: 'empty', value: '{}' },
      { key: 'seed', value: '1' },
      { key: 'list', value: '[1]' },
    ])
    expect(paramsOf(given, { flattens: false, most: 1 })).toEqual([{ key: 'label2id', value: "{'A (b)': 0}" }])
  })
})
