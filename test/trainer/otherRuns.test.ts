import { cpSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AutoModelForSequenceClassification, type TrainingArgumentsOptions } from '../../src/index'
import { checkpointsIn, logged, type Ran, run, weights } from './support'
import { temporaryFolder } from '../helpers/temporaryFolder'

const saving = { saveStrategy: 'steps', saveSteps: 2, perDeviceTrainBatchSize: 4 } as const

/** A run of some steps, with other weights than those of another seed. */
const steps = (maxSteps: number, seed: number, outputDir: string): TrainingArgumentsOptions => ({
  ...saving,
  maxSteps,
  seed,
  outputDir,
})

interface Stored {
  stateful_callbacks: { Trainer?: { attributes: { run_id?: string; run_session?: number } } }
  best_model_checkpoint: string | null
}

function stateOf(folder: string, step: number): Stored {
  return JSON.parse(readFileSync(join(folder, `checkpoint-${step}`, 'trainer_state.json'), 'utf8')) as Stored
}

function idOf(folder: string, step: number): string | undefined {
  return stateOf(folder, step).stateful_callbacks.Trainer?.attributes.run_id
}

/** Takes the run's name out, as checkpoints of Python and of older versions do not have it. */
function makeNameless(folder: string): void {
  for (const name of checkpointsIn(folder)) {
    const path = join(folder, name, 'trainer_state.json')
    const state = JSON.parse(readFileSync(path, 'utf8')) as Stored
    delete state.stateful_callbacks.Trainer!.attributes.run_id
    delete state.stateful_callbacks.Trainer!.attributes.run_session
    writeFileSync(path, JSON.stringify(state))
  }
}

describe('a run that begins in a folder with the checkpoints of another', () => {
  it.each([
    ['of ts-trainer', () => undefined],
    ['without the name of a run', makeNameless],
  ])('%s says so once, leaves them, and is what is resumed', async (_, change) => {
    const folder = temporaryFolder()
    await run(steps(8, 1, folder))
    change(folder)
    rmSync(join(folder, 'checkpoint-4'), { recursive: true })
    const messages = logged()
    const fresh = await run({ ...steps(4, 2, folder), saveTotalLimit: 2 })
    const begins = messages.filter(message => message.startsWith('A new run begins'))
    expect(begins).toHaveLength(1)
    expect(begins[0]).toMatch(/another run: checkpoint-2, checkpoint-6, checkpoint-8\. .*resumeFromCheckpoint: true/s)
    expect(messages.filter(message => message.includes('is replaced by'))).toEqual([
      `checkpoint-2 of another run in ${folder} is replaced by this run's.`,
    ])
    expect(checkpointsIn(folder)).toEqual([2, 4, 6, 8].map(step => `checkpoint-${step}`))
    expect([idOf(folder, 2), idOf(folder, 6)]).toEqual([idOf(folder, 4), idOf(folder, 8)])

    for (const name of ['checkpoint-6', 'checkpoint-8']) utimesSync(join(folder, name), 2e9, 2e9) // clocks do not count
    const resumed = await run({ ...steps(5, 2, folder), saveTotalLimit: 2 }, { resumeFromCheckpoint: true })
    expect(resumed.losses.slice(0, 4)).toEqual(fresh.losses)
    expect(checkpointsIn(folder)).toEqual([4, 5, 6, 8].map(step => `checkpoint-${step}`))
    expect(idOf(folder, 5)).toBe(idOf(folder, 4))
    expect(messages.filter(message => message.startsWith('A new run begins'))).toHaveLength(1)
  })

  it('lets go on with that other one, as the message advises', async () => {
    const folder = temporaryFolder()
    const first = await run(steps(4, 1, folder))
    const messages = logged('info')
    const other = await run({ ...steps(6, 1, folder) }, { resumeFromCheckpoint: true })
    expect(other.losses.slice(0, 4)).toEqual(first.losses)
    expect(messages).toContain(`Resuming from ${join(folder, 'checkpoint-4')}.`)
    expect(messages.filter(message => message.startsWith('A new run begins'))).toEqual([])
    expect(new Set([2, 4, 6].map(step => idOf(folder, step))).size).toBe(1)
  })

  it('makes an earlier run the latest again when that is resumed by its path', async () => {
    const folder = temporaryFolder()
    await run(steps(6, 1, folder))
    await run(steps(2, 2, folder))
    const six = join(folder, 'checkpoint-6')
    const before = idOf(folder, 6)
    expect(idOf(folder, 2)).not.toBe(before)
    await run(steps(8, 1, folder), { resumeFromCheckpoint: six })
    expect(idOf(folder, 8)).toBe(before)
    const messages = logged('info')
    await run(steps(9, 1, folder), { resumeFromCheckpoint: true })
    expect(messages).toContain(`Resuming from ${join(folder, 'checkpoint-8')}.`)
    expect(messages.filter(message => /earlier runs.*left alone: checkpoint-2\./.test(message))).toHaveLength(1)
  })

  it('goes on with the branch that was resumed last, where a run went back to an earlier checkpoint', async () => {
    const folder = temporaryFolder()
    await run(steps(8, 1, folder))
    const limited = { ...steps(4, 1, folder), saveTotalLimit: 2, learningRate: 1e-2 }
    vi.stubEnv('HOME', folder)
    onTestFinished(() => void vi.unstubAllEnvs())
    const back = await run(limited, { resumeFromCheckpoint: '~/checkpoint-2' })
    expect(checkpointsIn(folder)).toEqual(['checkpoint-4', 'checkpoint-8'])
    const messages = logged('info')
    const resumed = await run({ ...limited, maxSteps: 6 }, { resumeFromCheckpoint: true })
    expect(messages).toContain(`Resuming from ${join(folder, 'checkpoint-4')}.`)
    expect(resumed.losses.slice(0, 4)).toEqual(back.losses)
    expect(checkpointsIn(folder)).toEqual(['checkpoint-4', 'checkpoint-6'])
  })

  it("counts a nameless run's checkpoints as its own when it resumes one of them in their folder only", async () => {
    const folder = temporaryFolder()
    await run(steps(4, 1, folder))
    makeNameless(folder)
    const elsewhere = temporaryFolder()
    cpSync(join(folder, 'checkpoint-2'), join(elsewhere, 'checkpoint-2'), { recursive: true })
    const limited = { ...steps(6, 1, folder), saveTotalLimit: 1 }
    await run({ ...limited, outputDir: elsewhere }, { resumeFromCheckpoint: join(folder, 'checkpoint-4') })
    expect(checkpointsIn(elsewhere)).toEqual(['checkpoint-2', 'checkpoint-6'])
    await run(limited, { resumeFromCheckpoint: true })
    expect(checkpointsIn(folder)).toEqual(['checkpoint-6'])
    const messages = logged('info')
    await run({ ...limited, maxSteps: 7 }, { resumeFromCheckpoint: true })
    expect(messages).toContain(`Resuming from ${join(folder, 'checkpoint-6')}.`)
  })
})

describe('the best model', () => {
  const best = {
    evalStrategy: 'steps',
    evalSteps: 2,
    loadBestModelAtEnd: true,
    metricForBestModel: 'score',
    greaterIsBetter: true,
  } as const
  const scoring = (scores: readonly number[]): (() => Record<string, number>) => {
    const left = [...scores]
    return () => ({ score: left.shift()! })
  }

  it("is never another run's checkpoint of the same step", async () => {
    const folder = temporaryFolder()
    const first = { ...steps(6, 1, folder), ...best }
    await run(first, { computeMetrics: scoring([3, 2, 1]) }) // the best is checkpoint-2
    await run(steps(2, 2, folder)) // which another run replaces
    const messages = logged()
    const options = { computeMetrics: scoring([0]), resumeFromCheckpoint: join(folder, 'checkpoint-6') }
    const resumed = await run({ ...first, maxSteps: 8 }, options)
    expect(resumed.trainer.state.bestModelCheckpoint).toBeUndefined()
    expect(stateOf(folder, 8).best_model_checkpoint).toBeNull()
    expect(messages.filter(message => /the model is as it was trained last/.test(message))).toHaveLength(1)
    const unaware = await run(
      { ...steps(8, 1, temporaryFolder()) },
      { resumeFromCheckpoint: join(folder, 'checkpoint-6') },
    )
    expect(weights(resumed.trainer.model)).toEqual(weights(unaware.trainer.model))
  })

  it('of a run without a name stays the best where the run goes on in another folder, and from there', async () => {
    const [before, elsewhere] = [temporaryFolder(), temporaryFolder()]
    await run({ ...steps(4, 1, before), ...best }, { computeMetrics: scoring([3, 2]) }) // the best is checkpoint-2
    makeNameless(before)
    const two = `${before}/checkpoint-2`
    const start = weights(await AutoModelForSequenceClassification.fromPretrained(two))
    const goOn = async (maxSteps: number, outputDir: string, from: string): Promise<Ran> =>
      run({ ...steps(maxSteps, 1, outputDir), ...best }, { computeMetrics: scoring([1]), resumeFromCheckpoint: from })
    const messages = logged()
    for (const [maxSteps, outputDir, from] of [
      [6, elsewhere, `${before}/checkpoint-4`],
      [8, temporaryFolder(), `${elsewhere}/checkpoint-6`],
      [8, before, `${elsewhere}/checkpoint-6`],
    ] as const) {
      const { trainer } = await goOn(maxSteps, outputDir, from)
      expect(trainer.state.bestModelCheckpoint).toBe(two)
      expect(weights(trainer.model)).toEqual(start)
    }
    expect(messages.filter(message => message.startsWith('loadBestModelAtEnd'))).toEqual([])

    // another run, without a name too, has put its own in that place
    await run({ ...steps(2, 2, before), ...best }, { computeMetrics: scoring([4]) })
    makeNameless(before)
    const { trainer } = await goOn(8, temporaryFolder(), `${elsewhere}/checkpoint-6`)
    expect(trainer.state.bestModelCheckpoint).toBeUndefined()
  })

  it('is told by its path where the state does not say its step, as in older versions of Python', async () => {
    const folder = temporaryFolder()
    await run({ ...steps(4, 1, folder), ...best }, { computeMetrics: scoring([3, 2]) })
    const path = join(folder, 'checkpoint-4', 'trainer_state.json')
    const state = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    delete state.best_global_step
    writeFileSync(path, JSON.stringify(state))
    const messages = logged('info')
    const options = { computeMetrics: scoring([1]), resumeFromCheckpoint: join(folder, 'checkpoint-4') }
    const { trainer } = await run({ ...steps(6, 1, folder), ...best }, options)
    expect(trainer.state.bestGlobalStep).toBe(2)
    expect(messages).toContain('The model is that of step 2, the best: score 3.')
  })

  it('stays in the rotation of its own run', async () => {
    const folder = temporaryFolder()
    await run(steps(8, 1, folder))
    const args = { ...steps(6, 2, folder), ...best, saveTotalLimit: 1 }
    const { trainer } = await run(args, { computeMetrics: scoring([1, 3, 2]) })
    expect(trainer.state.bestModelCheckpoint).toBe(`${folder}/checkpoint-4`)
    expect(checkpointsIn(folder)).toEqual(['checkpoint-4', 'checkpoint-8'])
  })
})

describe('broken checkpoints', () => {
  const half = (folder: string, name: string, file: string): void => truncateSync(join(folder, name, file), 40)

  it('are passed over with a warning that says which and why', async () => {
    const folder = temporaryFolder()
    const whole = await run(steps(8, 1, folder))
    half(folder, 'checkpoint-8', 'model.safetensors')
    rmSync(join(folder, 'checkpoint-6', 'optimizer.safetensors'))
    writeFileSync(join(folder, 'checkpoint-2', 'trainer_state.json'), '{"global')
    const messages = logged('info')
    const resumed = await run(steps(8, 1, folder), { resumeFromCheckpoint: true })
    expect(messages.slice(0, 2)).toEqual([
      `Broken checkpoints in ${folder} are passed over: checkpoint-2 (trainer_state.json is missing or broken); ` +
        'checkpoint-6 (optimizer.safetensors is missing or broken); ' +
        'checkpoint-8 (model.safetensors is missing or broken).',
      `Resuming from ${join(folder, 'checkpoint-4')}.`,
    ])
    expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
  })

  it('are an error where the latest run has no other, with the path of an earlier run, which works', async () => {
    const folder = temporaryFolder()
    await run(steps(6, 1, folder))
    await run(steps(2, 2, folder))
    half(folder, 'checkpoint-2', 'model.safetensors')
    const failed = run(steps(8, 1, folder), { resumeFromCheckpoint: true })
    const fix = /latest run.*checkpoint-2 \(model\.safetensors is missing or broken\).*resumeFromCheckpoint: '([^']+)'/s
    await expect(failed).rejects.toThrow(fix)
    const advised = fix.exec(((await failed.catch((error: unknown) => error)) as Error).message)![1]!
    expect(advised).toBe(join(folder, 'checkpoint-6'))
    expect((await run(steps(8, 1, folder), { resumeFromCheckpoint: advised })).output.globalStep).toBe(8)
  })

  it('and folders that are no checkpoint are refused with one that can be resumed, beside it, in it or in outputDir', async () => {
    const folder = temporaryFolder()
    await run(steps(4, 1, folder))
    half(folder, 'checkpoint-4', 'optimizer.safetensors')
    const two = join(folder, 'checkpoint-2')
    const elsewhere = temporaryFolder()
    for (const [outputDir, wanted] of [
      [elsewhere, join(folder, 'checkpoint-4')],
      [elsewhere, folder],
      [folder, join(elsewhere, 'checkpoint-9')],
    ] as const) {
      const failed = run(steps(6, 1, outputDir), { resumeFromCheckpoint: wanted })
      await expect(failed).rejects.toThrow(`Resume from ${two}.`)
    }
    await expect(run(steps(6, 1, elsewhere), { resumeFromCheckpoint: 'nowhere' })).rejects.toThrow(
      'there is no such folder. Check the path, or train without it.',
    )
  })
})
