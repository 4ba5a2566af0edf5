import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TrainerError } from '../src/errors'
import type { PreTrainedModel } from '../src/auto/PreTrainedModel'
import {
  checkpointFiles,
  taskTrainer,
  startElsewhere,
  trainHere,
  type TrainingTask,
  twentySteps,
  weightsHash,
} from './helpers/trainingProcess'
import { temporaryFolder } from './helpers/temporaryFolder'

const args: TrainingTask['args'] = { ...twentySteps, saveTotalLimit: 2 }

describe('kill -9 while checkpoints are written', () => {
  it('leaves a whole checkpoint, from which another process ends bit for bit as if nothing had been', async () => {
    const whole = temporaryFolder()
    const expected = await trainHere({ outputDir: whole, args })
    for (const [lastSaved, delay] of [
      [1, 3],
      [6, 17],
      [11, 60],
      [16, 31],
    ] as const) {
      const folder = temporaryFolder()
      await killAfter({ outputDir: folder, args }, lastSaved, delay)
      const left = steps(folder)
      expect(left.at(-1), `killed ${delay} ms after step ${lastSaved}`).toBeGreaterThanOrEqual(lastSaved)
      expect(
        await trainHere({ outputDir: folder, args, resume: true }),
        `killed ${delay} ms after step ${lastSaved}`,
      ).toEqual(expected)
      expect(checkpointFiles(join(folder, 'checkpoint-20'))).toEqual(checkpointFiles(join(whole, 'checkpoint-20')))
      expect(readdirSync(folder).sort(), 'nothing half-written is left').toEqual(['checkpoint-19', 'checkpoint-20'])
    }
  })
})

/** Ends a run at once, some milliseconds after a step was saved. */
async function killAfter(task: TrainingTask, lastSaved: number, delay: number): Promise<void> {
  const child = startElsewhere(task)
  const ended = new Promise(resolve => child.on('exit', (_code, signal) => resolve(signal)))
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: { saved: number }) => void (message.saved === lastSaved && resolve()))
    child.on('exit', () => reject(new Error('The run ended before it could be killed.')))
  })
  await new Promise(resolve => setTimeout(resolve, delay))
  child.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')
}

function steps(folder: string): number[] {
  return readdirSync(folder)
    .flatMap(name => /^checkpoint-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

const evaluated: TrainingTask['args'] = {
  ...twentySteps,
  maxSteps: 8,
  learningRate: 3e-2,
  saveTotalLimit: 2,
  evalStrategy: 'steps',
  evalSteps: 1,
  metricForBestModel: 'loss',
  greaterIsBetter: true,
  loadBestModelAtEnd: true, // so that it is not the last
}

describe('the best model', () => {
  it('is what the trainer has in the end, and its checkpoint stays beside the last', async () => {
    const folder = temporaryFolder()
    const losses: number[] = []
    const weights: string[] = []
    const trainer = taskTrainer(
      { outputDir: folder, args: evaluated, evaluates: true },
      {
        onEvaluate: (_args, _state, _control, { metrics, model }) => {
          losses.push(Number(metrics!.eval_loss))
          weights.push(weightsHash(model as PreTrainedModel))
        },
      },
    )
    await trainer.train()
    const best = losses.indexOf(Math.max(...losses))
    expect(best, 'a best step that is not the last').toBeLessThan(7)
    expect(weightsHash(trainer.model)).toBe(weights[best])
    expect(trainer.state.bestGlobalStep).toBe(best + 1)
    expect(trainer.state.bestMetric).toBe(losses[best])
    expect(steps(folder)).toEqual([best + 1, 8])
    expect((await trainer.evaluate()).eval_loss).toBe(losses[best])
    await trainer.dispose()
    expect(weightsHash(trainer.model), 'also when the engine is gone').toBe(weights[best])
  })
})

// a superuser may write anywhere, so a file stands in the way instead of a missing permission
describe('a folder that cannot be written', () => {
  it('is found before any step is made', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    let updates = 0
    const trainer = taskTrainer(
      { outputDir: join(folder, 'file/out'), args: twentySteps },
      { onStepEnd: () => void updates++ },
    )
    const error = await trainer.train().catch((cause: unknown) => cause)
    await trainer.dispose()
    expect(error).toBeInstanceOf(TrainerError)
    expect((error as TrainerError).message).toContain(`Cannot write ${join(folder, 'file/out')}`)
    expect(updates).toBe(0)
  })

  it('in the middle of a run loses nothing: earlier checkpoints stay, the model can be saved elsewhere, and a run resumes', async () => {
    const whole = temporaryFolder()
    const parent = temporaryFolder()
    const folder = join(parent, 'out')
    const aside = join(parent, 'aside')
    const expected = await trainHere({ outputDir: whole, args: twentySteps })
    const block = (): void => {
      renameSync(folder, aside)
      writeFileSync(folder, '')
    }
    const trainer = taskTrainer(
      { outputDir: folder, args: twentySteps },
      { onStepEnd: (_args, state) => void (state.globalStep === 6 && block()) },
    )
    await expect(trainer.train()).rejects.toThrow(`Cannot write ${join(folder, 'checkpoint-6')}`)
    await trainer.saveModel(join(parent, 'elsewhere'))
    await trainer.dispose()
    expect(hashOf(join(parent, 'elsewhere'))).toBe(hashOf(join(whole, 'checkpoint-6')))
    rmSync(folder)
    renameSync(aside, folder)
    expect(steps(folder)).toEqual([1, 2, 3, 4, 5])
    expect(await trainHere({ outputDir: folder, args: twentySteps, resume: true })).toEqual(expected)
  })
})

function hashOf(folder: string): unknown {
  return checkpointFiles(folder)['model.safetensors']
}
