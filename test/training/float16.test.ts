// training in 16 bits on the processor, where each result is rounded as a GPU would
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import { createEngine, type Engine } from '../../src/engine/Engine'
import { checkBfloat16On, checkComputes } from '../../src/engine/reducedTypes'
import type { Batch, ReducedType } from '../../src/tensor'
import type { Engines } from '../../src/training/engines'
import { AutoModel } from '../../src/index'
import { classes, randomBatch } from '../helpers/batches'
import { type Computed, compute, type ComputeOptions, distance } from '../helpers/compute'
import { type FamilyName, familyNames, oracleModel } from '../helpers/oracleModels'
import { batchOf, tensorOf } from '../helpers/oracle'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { enginesOn } from '../helpers/sharedEngines'
import { findWebgpuDriver } from '../helpers/webgpu'

interface FieldRun {
  readonly inputs?: Record<string, Plain>
  readonly target?: Plain
}
type FieldCase = FieldRun & { readonly runs: readonly FieldRun[] }

const lengths = [9, 3, 1, 7, 2, 6, 5, 8]
const batches: readonly Batch[] = [1, 2].map(seed => randomBatch(lengths, classes(2, 0, 1, 1, 0, 2, 2, 1), { seed }))

async function enginesFor(training: ReducedType | undefined, engine?: Engine): Promise<Engines> {
  return enginesOn(engine ?? (await createEngine({ threads: 1 })), { training })
}

async function computed(
  family: FamilyName,
  type: ReducedType | undefined,
  { engine, ...options }: ComputeOptions & { readonly engine?: Engine } = {},
): Promise<Computed> {
  const model = await oracleModel(family)
  return compute(model, batches, { engines: await enginesFor(type, engine), ...options })
}

describe.each(familyNames)('gradients of %s in 16 bits', family => {
  let half: Computed
  beforeAll(async () => void (half = await computed(family, 'float16')))

  it('are those of float32 to 2e-2, and not the same', async () => {
    const single = await computed(family, undefined)
    expect(half.count).toBe(single.count)
    expect(Math.abs(half.loss / single.loss - 1)).toBeLessThan(1e-3)
    const apart = distance(half, single)
    expect(apart).toBeGreaterThan(1e-6)
    expect(apart).toBeLessThan(2e-2)
    expect(distance(await computed(family, 'bfloat16'), single)).toBeLessThan(8 * 2e-2) // 3 bits fewer
  })

  it('are the same bit for bit with layers computed again', async () => {
    const again = await computed(family, 'float16', { gradientCheckpointing: true })
    expect(again.loss).toBe(half.loss)
    for (const [name, gradient] of half.gradients) expect(again.gradients.get(name), name).toEqual(gradient)
  })
})

it('gradients in a device store are close to those in the shared store', async () => {
  const shared = await computed('bert', 'float16')
  const resident = await computed('bert', 'float16', { engine: pretendedDevice() })
  // there the programs are in float16 themselves, of which ONNX Runtime rounds a part on the processor
  expect(distance(resident, shared)).toBeLessThan(2e-2)
})

it.each(['fused-operators/model.onnx', 'dynamic-broadcasting/model.onnx'])(
  'gradients of a graph of another program, %s, are those of float32 to 2e-2',
  async file => {
    const path = join(import.meta.dirname, '../fixtures/onnx/field', file)
    const given = JSON.parse(readFileSync(join(path, '../case.json'), 'utf8')) as FieldCase
    const { inputs = given.inputs, target = given.target } = given.runs[0]!
    const batch = { ...batchOf(inputs!), labels: tensorOf(target!) }
    const [single, half] = await Promise.all(
      ([undefined, 'float16'] as const).map(async type =>
        compute(await AutoModel.fromOnnx(path, { loss: 'cross_entropy' }), [batch], {
          engines: await enginesFor(type),
        }),
      ),
    )
    expect(distance(half!, single!)).toBeGreaterThan(0)
    expect(distance(half!, single!)).toBeLessThan(2e-2)
  },
)

describe('whether a device computes in 16 bits', () => {
  it('is found out by a program: the processor does in float16, and has no sum in bfloat16', async () => {
    const engine = await createEngine({ threads: 1 })
    await expect(checkComputes(engine, 'float16')).resolves.toBeUndefined()
    await expect(checkComputes(engine, 'bfloat16')).rejects.toThrow(/'cpu' does not compute in bfloat16 here/)
  })

  const hindrance = findWebgpuDriver()
  it.skipIf(hindrance !== undefined)(
    `WebGPU in software has no shader-f16, and says so${hindrance === undefined ? '' : ` (skipped: ${hindrance})`}`,
    async () => {
      const engine = await createEngine({ device: 'webgpu', threads: 1 })
      await expect(checkComputes(engine, 'float16')).rejects.toThrow(
        /'webgpu' does not compute in float16 here.*shader-f16.*Leave fp16/s,
      )
    },
  )

  it('is known of bfloat16 for some without an engine', () => {
    expect(() => checkBfloat16On('cuda')).not.toThrow()
    expect(() => checkBfloat16On('cuda:1')).not.toThrow()
    expect(() => checkBfloat16On('CUDAExecutionProvider')).not.toThrow()
    expect(() => checkBfloat16On('webgpu')).toThrow(/'webgpu' cannot be had: WebGPU has no such type.*fp16/s)
    expect(() => checkBfloat16On('dml')).toThrow(/'dml' cannot be had: only 'cuda' and 'cpu' have it/)
    expect(() => checkBfloat16On('auto')).toThrow(/device is 'auto'.*Name it: 'cuda'/s)
  })
})
