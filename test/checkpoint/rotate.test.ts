import { existsSync, readdirSync } from 'node:fs'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { listCheckpoints } from '../../src/checkpoint/folders'
import { checkpointsToRemove, rotateCheckpoints } from '../../src/checkpoint/rotate'
import { listRuns, newestCheckpoint } from '../../src/checkpoint/runs'
import { saveTrainerState } from '../../src/checkpoint/state'
import { checkpointName, checkpointStep } from '../../src/files/checkpointNames'
import { saveWeights } from '../../src/files/weights'
import { Tensor } from '../../src/tensor'
import { temporaryFolder } from '../helpers/temporaryFolder'

describe('rotation: golden values of the specification, A.6', () => {
  it.each([
    { limit: 2, best: () => 100, left: [[100], [100, 200], [100, 300], [100, 400]], end: [100, 400] },
    { limit: 1, best: () => 100, left: [[100], [100, 200], [100, 300], [100, 400]], end: [100] },
    { limit: 1, best: () => undefined, left: [[100], [200], [300], [400]], end: [400] },
    {
      limit: 3,
      best: (step: number) => (step < 200 ? 100 : 200),
      left: [[100], [100, 200], [100, 200, 300], [200, 300, 400], [200, 400, 500]],
      end: [200, 400, 500],
    },
    { limit: undefined, best: () => undefined, left: [[100], [100, 200]], end: [100, 200] },
    { limit: 0, best: () => undefined, left: [[100], [100, 200]], end: [100, 200] },
  ])('limit $limit: $left', ({ limit, best, left, end }) => {
    let steps: number[] = []
    left.forEach((expected, i) => {
      const step = (i + 1) * 100
      steps.push(step)
      const removed = checkpointsToRemove(steps, { limit, best: best(step) })
      steps = steps.filter(each => !removed.includes(each))
      expect(steps).toEqual(expected)
    })
    const removed = checkpointsToRemove(steps, { limit, best: best(left.length * 100), atEnd: true })
    expect(steps.filter(step => !removed.includes(step))).toEqual(end)
  })

  it('keeps the checkpoint just written, also when a run went back before newer ones', () => {
    expect(checkpointsToRemove([100, 200, 500], { limit: 1, newest: 200 })).toEqual([100, 500])
    expect(checkpointsToRemove([1000, 200], { limit: 1 })).toEqual([1000])
    expect(checkpointsToRemove([100, 200], { limit: 1, best: 50 })).toEqual([100])
  })
})

it('names give steps, and other names do not count', () => {
  expect(checkpointStep(checkpointName(120))).toBe(120)
  for (const name of [
    'checkpoint-',
    'checkpoint-1x',
    'checkpoint-1-2',
    'my-checkpoint-1',
    'checkpoint--1',
    'checkpoint-1.tmp',
  ])
    expect(checkpointStep(name)).toBeUndefined()
})

it('finds, rotates and resumes from the folders of a run', async () => {
  const run = temporaryFolder()
  expect(await newestCheckpoint(join(run, 'none'))).toEqual({ checkpoint: undefined, broken: [], earlier: [] })
  for (const step of [5, 10, 100]) {
    const folder = join(run, checkpointName(step))
    await mkdir(folder)
    await saveWeights(folder, [['w', Tensor.from('float32', [step])]])
    await saveTrainerState(folder, { global_step: step } as never)
  }
  await mkdir(join(run, 'checkpoint-best'))
  await writeFile(join(run, 'checkpoint-7'), '')
  expect((await listCheckpoints(run)).map(({ step }) => step)).toEqual([5, 10, 100])
  expect((await newestCheckpoint(run)).checkpoint).toEqual({ step: 100, path: join(run, 'checkpoint-100') })
  await truncate(join(run, 'checkpoint-100', 'model.safetensors'), 70)
  expect(await newestCheckpoint(run)).toMatchObject({
    checkpoint: { step: 10 },
    broken: [{ step: 100, missing: ['model.safetensors'] }],
  })
  const nameless = { id: undefined, session: 0 }
  expect(await rotateCheckpoints(run, nameless, { limit: 2, best: join(run, '.', 'checkpoint-5') })).toEqual([
    join(run, 'checkpoint-10'),
  ])
  expect(readdirSync(run).sort()).toEqual(['checkpoint-100', 'checkpoint-5', 'checkpoint-7', 'checkpoint-best'])
  expect(await rotateCheckpoints(run, nameless, { limit: 1, best: '/elsewhere/checkpoint-5' })).toEqual([
    join(run, 'checkpoint-5'),
  ])
  expect(existsSync(join(run, 'checkpoint-100'))).toBe(true)
})

describe('the runs of a folder', () => {
  /** A whole checkpoint of a run; without `session` one as Python writes it, without `id` but not one that is Python's. */
  async function save(folder: string, step: number, id?: string, session?: number): Promise<void> {
    const path = join(folder, checkpointName(step))
    await mkdir(path)
    await saveWeights(path, [['w', Tensor.from('float32', [step])]])
    const attributes = { ...(id !== undefined && { run_id: id }), run_session: session }
    const states = session === undefined ? {} : { stateful_callbacks: { Trainer: { args: {}, attributes } } }
    await saveTrainerState(path, { global_step: step, ...states })
  }

  it('are in the order of their last sessions, whatever the steps and the times of files', async () => {
    const folder = temporaryFolder()
    await save(folder, 2, 'b', 30)
    await save(folder, 90, 'a', 10)
    await save(folder, 50)
    await save(folder, 70, 'a', 20)
    await save(folder, 60)
    const { runs } = await listRuns(folder)
    expect(runs.map(({ id, session, checkpoints }) => [id, session, checkpoints.map(({ step }) => step)])).toEqual([
      [undefined, 0, [50, 60]],
      ['a', 20, [90, 70]],
      ['b', 30, [2]],
    ])
    expect((await newestCheckpoint(folder)).checkpoint?.step).toBe(2)
    await save(folder, 80, 'a', 40)
    expect((await newestCheckpoint(folder)).checkpoint?.step).toBe(80)
  })

  it('rotate by themselves', async () => {
    const folder = temporaryFolder()
    for (const [step, id] of [
      [2, 'b'],
      [3, 'a'],
      [4, 'b'],
      [5, undefined],
      [6, 'b'],
      [7, 'a'],
    ] as const)
      await save(folder, step, id, id === undefined ? undefined : 1)
    const own = { id: 'b', session: 1 }
    await mkdir(join(folder, 'checkpoint-1')) // whose that is nobody knows
    expect(await rotateCheckpoints(folder, own, { limit: 2, newest: 6 })).toEqual([join(folder, 'checkpoint-2')])
    expect(await rotateCheckpoints(folder, own, { limit: 1, newest: 6 })).toEqual([join(folder, 'checkpoint-4')])
    expect(readdirSync(folder).sort()).toEqual([1, 3, 5, 6, 7].map(checkpointName))
  })
})
