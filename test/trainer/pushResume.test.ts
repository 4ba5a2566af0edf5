import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { TrainingArgumentsOptions } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'
import { logged, run, weights } from './support'

const used = useHub({ token: 'hf_loopback' })
const id = 'loopback/tiny'
const elsewhere = (): string => join(temporaryFolder(), 'tiny')
/** A run of six updates that ends after the fourth, pushing. */
const pushing = (args: TrainingArgumentsOptions = {}): TrainingArgumentsOptions => ({
  ...{ pushToHub: true, hubAlwaysPush: true, hubStrategy: 'checkpoint', saveStrategy: 'steps', saveSteps: 2 },
  ...{ outputDir: elsewhere(), ...args },
})
const stopping = (step: number) => ({
  callbacks: [
    {
      onStepEnd: (_: unknown, { globalStep }: { globalStep: number }) => ({ shouldTrainingStop: globalStep === step }),
    },
  ],
})

describe("resumeFromCheckpoint: 'last-checkpoint'", () => {
  it('is fetched from the Hub where this machine has none, and gives the very same losses and weights', async () => {
    const whole = await run({ saveStrategy: 'steps', saveSteps: 2 })
    const first = await run(pushing(), stopping(4))
    const lines = logged('info')
    const from = used.hub.commits('model', id)[0]!.oid
    const resumed = await run(pushing(), { resumeFromCheckpoint: 'last-checkpoint' })
    expect(lines).toContain(`Resuming from last-checkpoint of model "${id}" at commit ${from}, which is at step 4.`)
    expect(first.losses).toEqual(whole.losses.slice(0, 4))
    expect(resumed.losses).toEqual(whole.losses)
    expect(resumed.batches).toEqual(whole.batches.slice(4))
    expect(weights(resumed.trainer.model)).toEqual(weights(whole.trainer.model))
    expect(resumed.checkpoints).toEqual(['checkpoint-6'])
    const { message } = used.hub.commits('model', id)[0]!
    expect(message).toBe('Training in progress, step 6, checkpoint')
  })

  it('of another name, branch and repository', async () => {
    const hubbed = { hubModelId: 'acme/other', hubRevision: 'try', hubStrategy: 'all_checkpoints' as const }
    const first = await run(pushing(hubbed), stopping(4))
    const { pushToHub: _, ...named } = pushing(hubbed)
    const resumed = await run(named, { resumeFromCheckpoint: 'checkpoint-2' })
    expect(resumed.losses.slice(0, 4)).toEqual(first.losses)
    expect(resumed.batches).toHaveLength(4)
  })

  it('is that of outputDir where that has one: nothing is fetched', async () => {
    const { outputDir } = await run(pushing({ pushToHub: false }), stopping(4))
    const here = elsewhere()
    mkdirSync(here)
    cpSync(join(outputDir, 'checkpoint-4'), join(here, 'last-checkpoint'), { recursive: true })
    const { batches } = await run(pushing({ outputDir: here, pushToHub: false, hubModelId: 'tiny' }), {
      resumeFromCheckpoint: 'last-checkpoint',
    })
    expect(batches).toHaveLength(2)
    expect(used.hub.requests).toEqual([])
  })

  it.each<[string, TrainingArgumentsOptions, RegExp]>([
    [
      'no repository is named',
      { pushToHub: false },
      /no folder last-checkpoint, nor .*tiny\/last-checkpoint, and no repo/,
    ],
    ['the repository has none', {}, /model "loopback\/tiny" has none of that name either\. .*hubStrategy 'checkpoint'/],
    [
      'there is no repository',
      { hubModelId: 'acme/none' },
      /no folder last-checkpoint, nor .*tiny\/last-checkpoint, and none came from the Hub.*There is no model "acme\/none" on the Hub/,
    ],
  ])('says what to do where %s', async (_, args, message) => {
    used.hub.add('model', id, { 'config.json': '{}' })
    const error = await run(pushing(args), { resumeFromCheckpoint: 'last-checkpoint' }).catch((e: unknown) => e)
    expect(error).toHaveProperty('name', 'TrainerError')
    expect((error as Error).message).toMatch(message)
  })

  it('says what a name without a namespace needs', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    const resuming = run(pushing({ pushToHub: false, hubModelId: 'tiny' }), { resumeFromCheckpoint: 'last-checkpoint' })
    await expect(resuming).rejects.toThrow(
      /none came from the Hub\. The namespace of model "tiny" is that of a token, and HF_HUB_OFFLINE is set\. Give the name as ORGANIZATION\/NAME/,
    )
  })
})
