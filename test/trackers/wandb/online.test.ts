import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { sdkFile } from '../../../src/trackers/wandb/sdk'
import { logMessages } from '../../helpers/logMessages'
import { temporaryFolder } from '../../helpers/temporaryFolder'
import { trackedTrainer } from '../../helpers/trackedTraining'
import { readRun } from '../../helpers/wandbRun'
import { wandbServer, type WandbServer } from '../../helpers/wandbServer'

const golden = readRun(join(import.meta.dirname, '../../fixtures/wandb/run.wandb'))
const key = '0123456789abcdef0123456789abcdef01234567'
const messages = logMessages('info')
let folder: string
let server: WandbServer

beforeEach(async context => {
  if (sdkFile() === undefined) {
    console.log('skipped: @wandb/sdk is not installed.')
    return context.skip()
  }
  folder = temporaryFolder()
  for (const name of Object.keys(process.env).filter(one => one.startsWith('WANDB_'))) vi.stubEnv(name, undefined)
  vi.stubEnv('WANDB_API_KEY', key)
  await listen()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

async function listen(...known: Parameters<typeof wandbServer>): Promise<void> {
  server = await wandbServer(...known)
  vi.stubEnv('WANDB_BASE_URL', server.url)
}

const out = (): string => join(folder, 'out')
const idOf = (): string => server.upserts[0]!['name'] as string
const warnings = (): string[] => messages.filter(message => /Weights & Biases(?!: the run is at)/.test(message))
type Row = Record<string, unknown>

it("sends the rows, the summary and the axes that Python's run has, and prints nothing", async () => {
  const handlers = process.listenerCount('SIGINT')
  const printed = vi.spyOn(process.stdout, 'write')
  const begun = trackedTrainer(out()).train()
  await begun
  expect(printed).not.toHaveBeenCalled()
  printed.mockRestore()
  expect(process.listenerCount('SIGINT')).toBe(handlers)
  const rows = server.rows.get(idOf()) as Row[]
  expect(rows.map(row => Object.keys(row).toSorted())).toEqual(golden.history.map(row => Object.keys(row).toSorted()))
  expect(rows.map(row => row['_step'])).toEqual([0, 1, 2, 3, 4, 5, 6])
  const { '_wandb.runtime': _, ...summary } = golden.summary
  expect(Object.keys(server.summaries.get(idOf())!).toSorted()).toEqual(Object.keys(summary).toSorted())
  expect(server.exitCodes.get(idOf())).toBe(0)
  const config = server.configs.get(idOf())!
  expect(config).toMatchObject({ ...{ vocab_size: { value: 30 }, max_steps: { value: 4 } } })
  expect(config['model/num_parameters']!.value).toBe(golden.config['model/num_parameters'])
  const { m: metrics } = config['_wandb']!.value as { m: Record<string, unknown>[] }
  expect(metrics[0]).toEqual({ 1: 'train/global_step', 6: [3] })
  expect(metrics.map(one => one['1']).toSorted()).toEqual(
    [...new Set(rows.flatMap(row => Object.keys(row)))].filter(name => !name.startsWith('_')).toSorted(),
  )
  expect(metrics.slice(1).every(one => one['5'] === 1)).toBe(true)
  expect(server.upserts[0]).toMatchObject({ project: 'huggingface', entity: 'team', displayName: 'tiny' })
  expect(warnings()).toEqual([])
  expect(messages).toContain(`Weights & Biases: the run is at ${server.url}/team/huggingface/runs/${idOf()}.`)
})

it('ends with 1 where training throws', async () => {
  const trainer = trackedTrainer(out())
  trainer.addCallback({
    onStepEnd(_args, { globalStep }) {
      if (globalStep === 3) throw new Error('stop here')
    },
  })
  await expect(trainer.train()).rejects.toThrow('stop here')
  expect(server.exitCodes.get(idOf())).toBe(1)
})

it('is called as the environment says, and says what is not sent', async () => {
  const set = { WANDB_PROJECT: 'reviews', WANDB_ENTITY: 'others', WANDB_RUN_ID: 'mine', WANDB_TAGS: 'a,b' }
  for (const [name, value] of Object.entries({ ...set, WANDB_WATCH: 'gradients' })) vi.stubEnv(name, value)
  await trackedTrainer(out()).train()
  expect(server.upserts[0]).toMatchObject({ name: 'mine', project: 'reviews', entity: 'others' })
  expect(server.requests.at(-1)!.path).toBe('/files/others/reviews/mine/file_stream')
  expect(warnings()).toEqual([
    expect.stringContaining('WANDB_WATCH=gradients is refused'),
    expect.stringContaining('WANDB_TAGS: not sent'),
  ])
})

it('goes on behind the rows that the server has, with its summary and axes', async () => {
  await trackedTrainer(out()).train()
  const id = idOf()
  const rows = server.rows.get(id) as Row[]
  const known = {
    summaryMetrics: JSON.stringify(server.summaries.get(id)),
    historyLineCount: rows.length,
    historyTail: JSON.stringify([JSON.stringify({ ...rows.at(-1), _step: 9, _runtime: 100 })]),
    config: JSON.stringify(server.configs.get(id)),
  }
  await server.close()
  await listen({ [id]: known })
  await trackedTrainer(out(), { maxSteps: 6 }).train({ resumeFromCheckpoint: join(out(), 'checkpoint-4') })
  const later = server.rows.get(id) as Row[]
  expect(later.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => undefined))
  expect(later.slice(7).map(row => [row['_step'], row['train/global_step']])).toEqual([
    ...[[10, 5], [11, 6], [12, 6], [13, 6]], // prettier-ignore
  ])
  expect(later[7]!['_runtime']).toBeGreaterThan(100)
  expect(server.configs.get(id)!['_wandb']!.value).toMatchObject({ m: { length: 10 } })
  expect(server.exitCodes.get(id)).toBe(0)
})

it('goes on with the run of WANDB_RUN_ID where WANDB_RESUME allows it', async () => {
  await server.close()
  const known = { summaryMetrics: '{"odd":1}', historyLineCount: 3, historyTail: '[]', config: '{}' }
  await listen({ mine: known })
  vi.stubEnv('WANDB_RUN_ID', 'mine')
  vi.stubEnv('WANDB_RESUME', 'allow')
  await trackedTrainer(out()).train()
  const rows = server.rows.get('mine') as Row[]
  expect(rows.map(row => row?.['_step'])).toEqual([undefined, undefined, undefined, 3, 4, 5, 6, 7, 8, 9])
  expect(server.summaries.get('mine')).toMatchObject({ odd: 1, _step: 9 })
})

it('sends again what the server has answered with an error', async () => {
  server.faults.push({ path: /file_stream/, status: 503, left: 2 })
  await trackedTrainer(out()).train()
  expect(server.rows.get(idOf())).toHaveLength(7)
  expect(server.exitCodes.get(idOf())).toBe(0)
  expect(warnings()).toEqual(['Weights & Biases: the server has answered with status 503. It is tried again.'])
})

it('sends numbers that are not finite as words', async () => {
  const trainer = trackedTrainer(out(), { evalStrategy: 'no' })
  const noNumber = { onStepEnd: () => void trainer.log({ odd: NaN, low: -Infinity, text: 'NaN' }) }
  trainer.addCallback(noNumber)
  await trainer.train()
  const rows = server.rows.get(idOf()) as Row[]
  const odd = { 'train/odd': NaN, 'train/low': -Infinity, 'train/text': 'NaN' }
  expect(rows).toEqual(expect.arrayContaining([expect.objectContaining(odd)]))
  expect(server.summaries.get(idOf())).toMatchObject(odd)
})

it('begins when a server that was not there answers', async () => {
  server.faults.push({ path: /graphql/, status: 503, left: 1 })
  await trackedTrainer(out()).train()
  expect(server.rows.get(idOf())).toHaveLength(7)
  expect(warnings()).toEqual([expect.stringContaining('It is tried again while training goes on.')])
})

it.each([401, 403, 404])('says that a server refuses it with %i, without the key', async status => {
  server.faults.push({ path: /graphql/, status, left: 9 })
  await trackedTrainer(out()).train()
  expect(warnings()).toEqual([expect.stringContaining(`the server refuses it with status ${status}`)])
  expect(messages.join()).not.toContain(key)
})

it('says that there is no key, and asks nobody for it', async () => {
  vi.stubEnv('WANDB_API_KEY', undefined)
  vi.stubEnv('HOME', folder)
  await trackedTrainer(out()).train()
  expect(warnings()).toEqual([expect.stringContaining('set the WANDB_API_KEY environment variable. Training goes on.')])
})

it.each([
  ['when it begins', /graphql/],
  ['when rows are sent', /file_stream/],
])(
  'a server that never answers %s holds up a run for 4 seconds at its end, and no process',
  async (_, path) => {
    server.faults.push({ path, status: 'silence', left: 1000 })
    const program = join(folder, 'train.mts')
    const helper = pathToFileURL(join(import.meta.dirname, '../../helpers/trackedTraining.ts')).href
    writeFileSync(
      program,
      `import { trackedTrainer } from ${JSON.stringify(helper)}
const trainer = trackedTrainer(${JSON.stringify(out())})
let ended = 0
trainer.addCallback({ onStepEnd() { ended = performance.now() } })
await trainer.train()
process.stderr.write('after ' + Math.round(performance.now() - ended) + ' ms, ')
process.on('exit', () => process.stderr.write('left after ' + Math.round(performance.now() - ended)))`,
    )
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
      cwd: join(import.meta.dirname, '../../..'),
      env: { ...process.env, WANDB_BASE_URL: server.url, WANDB_API_KEY: key },
    })
    const [, trained, left] = /after (\d+) ms, left after (\d+)/.exec(stderr)!.map(Number)
    expect(stdout).toBe('')
    expect(stderr).toContain('Weights & Biases has not answered in time')
    expect(trained).toBeGreaterThan(3000)
    expect(trained).toBeLessThan(5000)
    expect(left! - trained!).toBeLessThan(500)
  },
  60_000,
)
