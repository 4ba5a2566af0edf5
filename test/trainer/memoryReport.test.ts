import { expect, it } from 'vitest'
import { createTrainer, tinyModel, weights } from './support'

it('says what training takes, before it trains, and changes nothing', async () => {
  const model = tinyModel()
  const trainer = createTrainer({}, { model })
  const before = weights(model)
  const { total, ...parts } = await trainer.memoryReport()
  const bytes = 4 * trainer.getNumTrainableParameters()
  expect(parts).toMatchObject({ parameters: bytes, gradients: bytes, slots: 2 * bytes, loaded: bytes })
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
