import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkBfloat16 } from '../../src/engine/bfloat16'
import { createEngine } from '../../src/engine/Engine'
import { openvinoLibrary } from '../../src/engine/openvino'
import { processorFlags } from '../../src/engine/processor'
import type { EngineOptions } from '../../src/engine/types'
import type { TrainerError } from '../../src/errors'
import { classes, randomBatch } from '../helpers/batches'
import { compute, type Computed, norm } from '../helpers/compute'
import { oracleModel } from '../helpers/oracleModels'

const amx = new Set(['avx512f', 'amx_bf16'])

describe('bfloat16 on the processor', () => {
  const variable = 'TS_TRAINER_OPENVINO'
  const before = process.env[variable]
  const cache = process.env['TS_TRAINER_CACHE']
  beforeEach(() => {
    delete process.env[variable]
    process.env['TS_TRAINER_CACHE'] = '/nowhere'
  })
  afterEach(() => {
    for (const [name, value] of [
      [variable, before],
      ['TS_TRAINER_CACHE', cache],
    ] as const) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })

  it.each<[string, Parameters<typeof checkBfloat16>[0], RegExp]>([
    [
      'without AMX',
      { flags: new Set(['avx512f', 'avx512_bf16']) },
      /this processor has no AMX \(amx_bf16\).*float32 is faster/s,
    ],
    [
      'where the system does not say',
      { flags: processorFlags('model name: ?\n') },
      /this processor has no AMX|does not say/,
    ],
    [
      'without the plug-in',
      { flags: amx },
      /OpenVINO's plug-in.*not installed.*npx ts-trainer install openvino.*TS_TRAINER_OPENVINO/s,
    ],
    ['on another device', { device: 'cuda', flags: amx }, /engines on 'cpu', but device is 'cuda'/],
  ])('is refused %s', (_where, options, message) => {
    expect(() => checkBfloat16(options)).toThrow(message)
    expect(refusal(() => checkBfloat16(options)).code).toBe('engine')
  })

  it('takes the library that an option names', () => {
    expect(checkBfloat16({ flags: amx, pluginLibrary: '/a/plugin.so' })).toBe('/a/plugin.so')
  })

  it("reads the instruction sets off Linux's list", () => {
    expect([...(processorFlags('processor : 0\nflags\t\t: fpu avx2 amx_bf16\n') ?? [])]).toEqual([
      'fpu',
      'avx2',
      'amx_bf16',
    ])
    expect([...(processorFlags('Features : asimd sve\n') ?? [])]).toEqual(['asimd', 'sve'])
    expect(processorFlags('cpu : what\n')).toBeUndefined()
  })

  it.skipIf(processorFlags()?.has('amx_bf16'))(
    'an engine without it is not made (skipped where the processor has AMX)',
    async () => {
      await expect(createEngine({ precision: 'bfloat16' })).rejects.toThrow(/AMX/)
    },
  )
})

const hindrance = await hindranceHere()

/** On real shapes, through the door that any plug-in provider takes. */
describe.skipIf(hindrance !== undefined)(
  `OpenVINO's plug-in${hindrance === undefined ? '' : ` (skipped: ${hindrance})`}`,
  () => {
    it.each([
      ['f32', 1e-6, 1e-4],
      ['bf16', 1e-3, 5e-2],
    ] as const)('computes a step in %s', async (precision, lossTolerance, gradientTolerance) => {
      const expected = await step({ threads: 1 })
      const given = await step(plugin(precision))
      expect(Math.abs(given.loss / expected.loss - 1)).toBeLessThanOrEqual(lossTolerance)
      const largest = Math.max(...[...expected.gradients.values()].map(norm))
      const far = [...expected.gradients].filter(
        ([name, own]) =>
          norm(own.map((v, i) => v - given.gradients.get(name)![i]!)) >
          Math.max(gradientTolerance * norm(own), 2e-3 * largest),
      )
      expect(far.map(([name]) => name)).toEqual([])
    })
  },
)

function plugin(precision: 'f32' | 'bf16'): EngineOptions {
  const config = { CPU: { INFERENCE_PRECISION_HINT: precision, INFERENCE_NUM_THREADS: '1' } }
  return {
    device: 'openvino:cpu',
    pluginLibrary: openvinoLibrary()!,
    providerOptions: { load_config: JSON.stringify(config) },
    threads: 1,
  }
}

/** A step of a small BERT, dropout on: its loss, and its gradients by name. */
async function step(engine: EngineOptions): Promise<Computed> {
  const model = await oracleModel('bert', { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0 })
  const batch = randomBatch([9, 3, 1, 7], classes(2, 0, 1, 1), { seed: 3 })
  return compute(model, [batch], { engine, batchSize: 4 })
}

/** Why the plug-in cannot be tried on this machine. */
async function hindranceHere(): Promise<string | undefined> {
  if (openvinoLibrary() === undefined) return 'it is not installed: npx ts-trainer install openvino'
  try {
    ;(await createEngine(plugin('f32'))).dispose()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function refusal(run: () => unknown): TrainerError {
  try {
    run()
  } catch (error) {
    return error as TrainerError
  }
  throw new Error('It was not refused.')
}
