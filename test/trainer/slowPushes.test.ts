import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { TrainingArgumentsOptions } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'
import { createTrainer, logged, run } from './support'

const used = useHub({ token: 'hf_loopback' })
const id = 'loopback/tiny'

/** Six updates, a checkpoint after each second one. */
const pushing = (args: TrainingArgumentsOptions = {}): TrainingArgumentsOptions => ({
  ...{ pushToHub: true, saveStrategy: 'steps', saveSteps: 2 },
  ...{ outputDir: join(temporaryFolder(), 'tiny'), ...args },
})
const messages = (): string[] =>
  used.hub
    .commits('model', id)
    .map(({ message }) => message)
    .slice(0, -1) // the one that the Hub makes
    .reverse()
const pushed = (): Record<string, Uint8Array> => used.hub.files('model', id)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** A callback that lets the first push begin only when training has ended. */
function firstPushHeld(): { onTrainEnd(): void } {
  const { fetch } = globalThis
  let release: (() => void) | undefined
  const ended = new Promise<void>(resolve => (release = resolve))
  let isFirst = true
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const isHeld = isFirst && String(input).includes('/revision/')
    if (isHeld) isFirst = false
    if (isHeld) await ended
    return fetch(input, init)
  })
  onTestFinished(() => void vi.restoreAllMocks())
  return { onTrainEnd: () => release!() }
}

describe('pushes that are slower than training', () => {
  it('ends with the newest checkpoint: it waits for a slow push, and older ones that waited are left out', async () => {
    const lines = logged('info')
    const { outputDir } = await run(pushing({ hubStrategy: 'checkpoint', saveTotalLimit: 1 }), {
      callbacks: [firstPushHeld()],
    })
    expect(messages()).toEqual(
      [2, 6].flatMap(step => [`Training in progress, step ${step}`, `Training in progress, step ${step}, checkpoint`]),
    )
    expect(text(pushed()['model.safetensors']!)).toBe(
      text(readFileSync(join(outputDir, 'checkpoint-6', 'model.safetensors'))),
    )
    const state = JSON.parse(Buffer.from(pushed()['last-checkpoint/trainer_state.json']!).toString()) as object
    expect(state).toMatchObject({ global_step: 6 })
    expect(lines.join('\n')).toContain('"Training in progress, step 4" is not pushed: a newer checkpoint waits')
    expect(readdirSync(outputDir)).toEqual(['checkpoint-6'])
  })

  it('says where to, once, where progress is shown, and that the end waits for a push', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    onTestFinished(() => void vi.restoreAllMocks())
    const lines = logged()
    used.hub.fault({ delay: 3500, match: '/revision/', times: 1 })
    const { trainer } = await run(pushing({ disableTqdm: false, saveSteps: 6 }))
    const where = `${used.hub.url}/${id}`
    expect(lines).toEqual([
      `Checkpoints are pushed to ${where}.`,
      `Waiting for the push to ${where}. Ctrl-C twice ends the process.`,
    ])
    await trainer.train()
    expect(lines.filter(line => line.includes(where))).toHaveLength(2)
  })

  it('is that of the interrupt too where others are left out', async () => {
    const controller = new AbortController()
    const onStepEnd = (_: unknown, { globalStep }: { readonly globalStep: number }): void => {
      if (globalStep === 5) controller.abort()
    }
    const stopped = { signal: controller.signal, callbacks: [{ onStepEnd }, firstPushHeld()] }
    const { output } = await run(pushing(), stopped)
    expect(output).toMatchObject({ globalStep: 5, interrupted: true })
    expect(messages()).toEqual([2, 5].map(step => `Training in progress, step ${step}`))
  })

  it('is said with how many checkpoints were left out', async () => {
    const lines = logged()
    const trainer = createTrainer(pushing(), { callbacks: [firstPushHeld()] })
    await trainer.initHfRepo()
    used.hub.fault({ status: 403, match: '/preupload/', times: 1 })
    await trainer.train()
    expect(messages()).toEqual(['Training in progress, step 6'])
    expect(lines.at(-1)).toContain(`1 of 2 pushes to ${id} failed, and 1 was left out for a newer one: "Training in`)
  })
})
