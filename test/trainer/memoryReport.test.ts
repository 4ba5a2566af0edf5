import { expect, it } from 'vitest'
import { formatMemoryReport } from '../../src/index'
import { createTrainer, tinyModel, weights } from './support'

it('says what training takes, before it trains, and changes nothing', async () => {
  const model = tinyModel()
  const trainer = createTrainer({}, { model })
  const before = weights(model)
  const { total, ...parts } = await trainer.memoryReport()
  const bytes = 4 * trainer.getNumTrainableParameters()
  expect(parts).toMatchObject({ parameters: bytes, gradients: bytes, slots: 2 * bytes, loaded: bytes, update: 0 })
  expect(parts.activations).toBeGreaterThan(0)
  expect(total).toBe(Object.values(parts).reduce((sum, one) => sum + one))
  expect(weights(model)).toEqual(before)
  await trainer.train()
  expect((await trainer.memoryReport()).total).toBe(total)
})

it('takes less with gradient checkpointing, and more with larger batches', async () => {
  const activations = async (args: object): Promise<number> =>
    (await createTrainer(args, { model: tinyModel({ num_hidden_layers: 4 }) }).memoryReport()).activations
  const plain = await activations({})
  expect(await activations({ gradientCheckpointing: true })).toBeLessThan(plain)
  expect(await activations({ perDeviceTrainBatchSize: 8 })).toBeGreaterThan(plain)
})

it('counts what accumulation and an update that is not a fused loop take', async () => {
  const report = (args: object) => createTrainer(args).memoryReport()
  const plain = await report({})
  const accumulating = await report({ gradientAccumulationSteps: 2 })
  expect(accumulating.gradients).toBe(2 * plain.gradients)
  expect((await report({ optim: 'adafactor' })).update).toBeGreaterThan(0)
  expect((await report({ optim: 'sgd' })).slots).toBe(0)
})

it('is a table of 80 columns at most', async () => {
  const text = formatMemoryReport(await createTrainer().memoryReport())
  expect(text.split('\n').map(line => line.split(' ')[0])).toEqual(
    'parameters gradients slots batch activations unused loaded total'.split(' '),
  )
  const large = formatMemoryReport({ ...(await createTrainer().memoryReport()), total: 2 ** 45 })
  expect(Math.max(...large.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})
