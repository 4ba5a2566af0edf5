import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTrainer, logged, run } from '../trainer/support'
import { fakeServer, type Request } from './fakeServer'

afterEach(() => vi.unstubAllEnvs())
const token = 'S3cr3t'
// oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects
const rowsOf = (requests: readonly Request[]): any[] => requests.flatMap(({ body }) => body.kwargs.logs)

describe("reportTo: 'trackio'", () => {
  it("posts rows under Hugging Face's keys, with the config in the first", async () => {
    const { url, requests } = await fakeServer(() => ({ body: { data: null } }))
    vi.stubEnv('TRACKIO_SERVER_URL', `${url}/?write_token=${token}`)
    const { trainer } = await run({
      reportTo: 'trackio',
      runName: 'first',
      project: 'p',
      maxSteps: 2,
      evalStrategy: 'steps',
      evalSteps: 2,
    })
    await trainer.predict(trainer.evalDataset as never)
    expect(
      requests.every(({ path, headers }) => path === '/api/bulk_log' && headers['x-trackio-write-token'] === token),
    ).toBe(true)
    const rows = rowsOf(requests)
    expect(new Set(rows.map(({ project, run }) => `${project} ${run}`))).toEqual(new Set(['p first']))
    expect(new Set(rows.map(({ run_id }) => run_id)).size).toBe(1)
    expect(new Set(rows.map(({ log_id }) => log_id)).size).toBe(rows.length)
    expect(rows.map(({ step }) => step)).toEqual([1, 2, 2, 2, 2])
    expect(rows[0].config).toMatchObject({
      learning_rate: 0.01,
      hidden_size: 8,
      'model/num_parameters': trainer.model.numParameters(),
    })
    expect(rows[1].config).toBeNull()
    expect(Object.keys(rows[0].metrics)).toEqual([
      'train/loss',
      'train/grad_norm',
      'train/learning_rate',
      'train/epoch',
      'train/global_step',
    ])
    expect(Object.keys(rows[2].metrics)).toContain('eval/loss')
    expect(Object.keys(rows[3].metrics)).toEqual(['train/epoch', 'train/global_step']) // the rest is no curve
    expect(Object.keys(rows[4].metrics)).toContain('test/loss')
  })

  it('goes on with the run of the checkpoint', async () => {
    const { url, requests } = await fakeServer(() => ({ body: { data: null } }))
    vi.stubEnv('TRACKIO_SERVER_URL', url)
    vi.stubEnv('TRACKIO_WRITE_TOKEN', token)
    const args = { reportTo: 'trackio', saveStrategy: 'steps', saveSteps: 2 } as const
    const { outputDir } = await run({ ...args, maxSteps: 2 })
    await run({ ...args, outputDir, maxSteps: 3 }, { resumeFromCheckpoint: true })
    const rows = rowsOf(requests)
    expect(rows.map(({ step }) => step)).toEqual([1, 2, 2, 3, 3])
    expect(new Set(rows.map(({ run, run_id }) => `${run} ${run_id}`)).size).toBe(1)
  })

  it('is a warning, without the token, where the server refuses', async () => {
    const { url } = await fakeServer(({ headers }) => ({
      body: { error: `no ${String(headers['x-trackio-write-token'])}` },
    }))
    vi.stubEnv('TRACKIO_SERVER_URL', `${url}?write_token=${token}`)
    const messages = logged('debug')
    await run({ reportTo: 'trackio' })
    expect(messages.join()).toContain('refuses the log: no ***.')
    expect(messages.join()).not.toContain(token)
  })

  it.each([
    [
      { TRACKIO_SERVER_URL: '' },
      'Trackio needs TRACKIO_SERVER_URL, the address of its server. Start one with `trackio show`',
    ],
    [{ TRACKIO_SERVER_URL: 'http://127.0.0.1:9' }, "Trackio needs its server's write token."],
    [
      { TRACKIO_SERVER_URL: '127.0.0.1?write_token=S3cr3t' },
      /^TRACKIO_SERVER_URL should be the address of a server, which begins with http:\/\/ or https:\/\/\.$/,
    ],
  ])('%j is refused', (given, message) => {
    vi.stubEnv('TRACKIO_WRITE_TOKEN', '')
    for (const [name, value] of Object.entries(given)) vi.stubEnv(name, value)
    expect(() => createTrainer({ reportTo: 'trackio' })).toThrow(message)
  })
})
