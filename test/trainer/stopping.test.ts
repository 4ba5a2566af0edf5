import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { missingFromCheckpoint } from '../../src/checkpoint/state'
import type { EvalPrediction } from '../../src/index'
import { checkpointsIn, createTrainer, run, weights } from './support'
import type { StoppingOptions } from './stoppingProcess'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'

/** A run in another process, after its third update. */
async function running(
  outputDir: string,
  options: StoppingOptions = {},
): Promise<{ child: ChildProcess; messages: string[]; ended: Promise<number | NodeJS.Signals | null> }> {
  const child = fork(join(import.meta.dirname, 'stoppingProcess.ts'), [outputDir, JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
    cwd: join(import.meta.dirname, '../..'),
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const messages: string[] = []
  const ended = new Promise<number | NodeJS.Signals | null>(resolve =>
    child.on('exit', (code, signal) => resolve(code ?? signal)),
  )
  await new Promise<void>((resolve, reject) => {
    child.on('message', message => {
      messages.push(String(message))
      if (message === 'running') resolve()
    })
    child.on('exit', code => reject(new Error(`The process ended with ${String(code)}.`)))
  })
  return { child, messages, ended }
}

describe('stopping', () => {
  it('ends after the current update at Ctrl-C, with a complete checkpoint that can be resumed', async () => {
    const outputDir = temporaryFolder()
    const { child, messages, ended } = await running(outputDir)
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    const [name, ...others] = checkpointsIn(outputDir)
    const step = Number(name!.slice('checkpoint-'.length))
    expect(others).toEqual([])
    expect(messages).toContain(`ended at ${step}`)
    expect(messages.some(message => message.includes('because of Ctrl-C (once more ends at once)'))).toBe(true)
    expect(await missingFromCheckpoint(join(outputDir, name!))).toEqual([])
    const resumed = await run({ outputDir, maxSteps: step + 1 }, { resumeFromCheckpoint: true })
    expect(resumed.output.globalStep).toBe(step + 1)
  })

  it('takes signals within a second for one: programs between the terminal and this one send it once more', async () => {
    const outputDir = temporaryFolder()
    const { child, messages, ended } = await running(outputDir)
    child.on('message', message => {
      // one while the run stops, and one when it has returned
      if (/^log: Stopping|^ended/.test(String(message))) child.kill('SIGINT')
    })
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(messages.filter(message => message.startsWith('log: Stopping'))).toHaveLength(1)
    expect(checkpointsIn(outputDir)).toHaveLength(1)
  })

  it('ends immediately at another Ctrl-C, a second later', async () => {
    const outputDir = temporaryFolder()
    const { child, messages, ended } = await running(outputDir, { update: 3000 })
    child.on('message', message => {
      if (String(message).startsWith('log: Stopping')) setTimeout(() => child.kill('SIGINT'), 1100)
    })
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(checkpointsIn(outputDir)).toEqual([])
    expect(messages.some(message => message.startsWith('ended'))).toBe(false)
  })

  it('writes a checkpoint at SIGTERM, and is killed by it with enableJitCheckpoint: false', async () => {
    const saved = temporaryFolder()
    const killed = temporaryFolder()
    const withCheckpoint = await running(saved)
    const without = await running(killed, { enableJitCheckpoint: false })
    for (const { child } of [withCheckpoint, without]) child.kill('SIGTERM')
    expect(await withCheckpoint.ended).toBe(0)
    expect(await without.ended).toBe('SIGTERM')
    expect(await missingFromCheckpoint(join(saved, checkpointsIn(saved)[0]!))).toEqual([])
    expect(checkpointsIn(killed)).toEqual([])
  })

  it('ends after the current update when the signal is aborted, whatever the strategy of saving', async () => {
    const best = { loadBestModelAtEnd: true, metricForBestModel: 'score' } as const
    for (const args of [
      {},
      { evalStrategy: 'steps', evalSteps: 1, saveStrategy: 'best', metricForBestModel: 'score' },
      // only the best checkpoint stays at the end, but this is not the end
      { evalStrategy: 'steps', evalSteps: 1, saveStrategy: 'steps', saveSteps: 1, saveTotalLimit: 1, ...best },
    ] as const) {
      const controller = new AbortController()
      const scores = [2, 1, 0]
      const { output, checkpoints } = await run(args, {
        signal: controller.signal,
        computeMetrics: () => ({ score: scores.shift()! }),
        callbacks: [{ onStepBegin: (_args, { globalStep }) => void (globalStep === 1 && controller.abort()) }],
      })
      expect(output).toMatchObject({ globalStep: 2, interrupted: true })
      expect(checkpoints.at(-1)).toBe('checkpoint-2')
    }
  })

  it('ends an evaluation at its next batch, and makes it when the run resumes', async () => {
    const args = { evalStrategy: 'steps', evalSteps: 2, saveStrategy: 'steps', saveSteps: 4, maxSteps: 6 } as const
    const best = { metricForBestModel: 'score', loadBestModelAtEnd: true, perDeviceEvalBatchSize: 2 } as const
    const scores = { computeMetrics: ({ predictions }: EvalPrediction) => ({ score: Number(predictions.data[0]) }) }
    const whole = await run({ ...args, ...best }, scores)
    const controller = new AbortController()
    let batches = 0
    const onPredictionStep = (_args: unknown, { globalStep }: { readonly globalStep: number }): void => {
      if (globalStep !== 4) return
      batches++
      controller.abort()
    }
    const stopping = createTrainer({ ...args, ...best }, { ...scores, callbacks: [{ onPredictionStep }] })
    expect(await stopping.train({ signal: controller.signal })).toMatchObject({ globalStep: 4, interrupted: true })
    expect(batches).toBe(1)
    const { outputDir } = stopping.args
    const resumed = await run({ ...args, ...best, outputDir }, { ...scores, resumeFromCheckpoint: true })
    const figures = ({ history }: typeof whole): unknown[] =>
      history.map(({ step, loss, eval_loss, eval_score }) => [step, loss, eval_loss, eval_score])
    expect(figures(resumed)).toEqual(figures(whole))
    expect(resumed.trainer.state.bestGlobalStep).toBe(whole.trainer.state.bestGlobalStep)
    expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
  })

  it('makes no evaluation of the end of an epoch that it stops within: that comes at its end', async () => {
    const args = {
      ...({ evalStrategy: 'epoch', saveStrategy: 'epoch', loggingStrategy: 'epoch' } as const),
      ...({
        numTrainEpochs: 2,
        maxSteps: -1,
        metricForBestModel: 'loss',
        lrSchedulerType: 'reduce_lr_on_plateau',
      } as const),
    }
    const whole = await run(args)
    const epochLength = whole.output.globalStep / 2
    expect(epochLength).toBeGreaterThan(1)
    const at = epochLength + 1
    const controller = new AbortController()
    const onStepBegin = (_args: unknown, { globalStep }: { readonly globalStep: number }): void => {
      if (globalStep === at - 1) controller.abort()
    }
    const stopped = await run(args, { signal: controller.signal, callbacks: [{ onStepBegin }] })
    expect(stopped.output).toMatchObject({ globalStep: at, interrupted: true })
    expect(stopped.checkpoints.at(-1)).toBe(`checkpoint-${at}`)
    const resumed = await run({ ...args, outputDir: stopped.outputDir }, { resumeFromCheckpoint: true })
    const figures = ({ history }: typeof whole): unknown[] =>
      history
        .filter(entry => !('train_loss' in entry))
        .map(({ step, epoch, loss, eval_loss, learning_rate }) => [step, epoch, loss, eval_loss, learning_rate])
    expect(figures(resumed)).toEqual(figures(whole))
    expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
  })

  it('ends after an evaluation during which the signal is aborted, before another update', async () => {
    const controller = new AbortController()
    const { output, checkpoints } = await run(
      { evalStrategy: 'epoch', saveStrategy: 'no', numTrainEpochs: 3, maxSteps: -1 },
      {
        signal: controller.signal,
        callbacks: [{ onEvaluate: () => controller.abort() }],
      },
    )
    expect(output.interrupted).toBe(true)
    expect(output.globalStep).toBeGreaterThan(0)
    expect(checkpoints).toEqual([`checkpoint-${output.globalStep}`])
  })

  it('is not interrupted after the last update', async () => {
    for (const event of ['onTrainEnd', 'onStepEnd'] as const) {
      const controller = new AbortController()
      const { output } = await run(
        { maxSteps: 2 },
        {
          signal: controller.signal,
          callbacks: [
            {
              [event]: (_args: unknown, { globalStep }: { globalStep: number }) =>
                void (globalStep === 2 && controller.abort()),
            },
          ],
        },
      )
      expect(output).toMatchObject({ globalStep: 2, interrupted: false })
    }
  })

  it('ends after the first update when the signal was aborted before it', async () => {
    const { output, checkpoints } = await run({}, { signal: AbortSignal.abort() })
    expect([output.globalStep, ...checkpoints]).toEqual([1, 'checkpoint-1'])
  })

  it('leaves no listeners behind', async () => {
    const before = process.listenerCount('SIGINT')
    expect((await run({ maxSteps: 1 })).output.interrupted).toBe(false)
    await expect(
      run(
        { maxSteps: 1 },
        {
          callbacks: [
            {
              onStepEnd: () => {
                throw new Error('mine')
              },
            },
          ],
        },
      ),
    ).rejects.toThrow('mine')
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})

describe('the wait for a push', () => {
  const used = useHub({ token: 'hf_loopback' })

  it('says at Ctrl-C what is waited for, ends at another one, and what is left is removed by the next run', async () => {
    const outputDir = join(temporaryFolder(), 'tiny')
    used.hub.fault({ delay: 60_000, match: '/preupload/' })
    const args = { maxSteps: 4, update: 1, saveStrategy: 'steps', saveSteps: 4, pushToHub: true } as const
    const { child, messages, ended } = await running(outputDir, args)
    const said = (text: string): Promise<void> =>
      vi.waitFor(() => expect(messages.some(message => message.includes(text))).toBe(true), 20_000)
    await said('Waiting for the push to')
    child.kill('SIGINT')
    await said(`Still pushing to ${used.hub.url}/loopback/tiny; once more ends at once.`)
    expect(child.exitCode).toBeNull()
    await new Promise(resolve => setTimeout(resolve, 1100))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    const left = (): string[] => readdirSync(outputDir).filter(name => name.startsWith('.tmp-push-'))
    expect(left()).toHaveLength(1)
    await run({ outputDir, maxSteps: 1, saveStrategy: 'epoch' })
    expect(left()).toEqual([])
  })
})
