import { Dataset, disableProgressBars, enableProgressBars } from 'ts-trainer'
import { afterEach, describe, expect, it, vi } from 'vitest'

const slowly = (): Promise<object> => new Promise(resolve => setTimeout(() => resolve({}), 60))

describe('the progress of map', () => {
  const terminal = process.stderr.isTTY
  afterEach(() => {
    process.stderr.isTTY = terminal
    vi.restoreAllMocks()
    enableProgressBars()
  })

  it('is shown on a terminal when it takes long, unless that was turned off', async () => {
    const written: string[] = []
    vi.spyOn(process.stderr, 'write').mockImplementation(text => written.push(String(text)) > 0)
    process.stderr.isTTY = true
    const dataset = Dataset.fromRows(Array.from({ length: 6 }, (_, row) => ({ row })))
    await dataset.map(slowly, { desc: 'Slow work', batchSize: 1 })
    expect(written.join('')).toContain('[6/6 00:00, Slow work]')
    written.length = 0
    disableProgressBars()
    await dataset.map(slowly, { batchSize: 1 })
    expect(written).toEqual([])
  })
})
