import { expect, it } from 'vitest'

import { summarize } from '../../src/metrics/summary'

it('summarizes a metric over seeds', async () => {
  // MRPC's accuracies of three seeds; statistics.mean, stdev and median of Python give these.
  const summary = await summarize([0.806, 0.789, 0.797])
  expect(summary.mean).toBeCloseTo(0.7973333333333333, 12)
  expect(summary.std).toBeCloseTo(0.008504900548115391, 12)
  expect(summary).toMatchObject({ count: 3, min: 0.789, median: 0.797, max: 0.806 })
  expect(await summarize(Float32Array.of(0.5))).toEqual({
    count: 1,
    mean: 0.5,
    std: 0,
    min: 0.5,
    median: 0.5,
    max: 0.5,
  })
  await expect(summarize([])).rejects.toThrow('summarize needs at least one value')
})
