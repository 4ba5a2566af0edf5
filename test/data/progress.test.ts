import { Dataset, disableProgressBars, enableProgressBars } from 'ts-trainer'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { setProgressReporter } from '../../src/data/progress'
import type { WorkProgress } from '../../src/terminal/workProgress'
import { dataset } from './fourRows'

const slowly = (): Promise<object> => new Promise(resolve => setTimeout(() => resolve({}), 60))

describe('the progress of map', () => {
  const terminal = process.stderr.isTTY
  afterEach(() => {
    process.stderr.isTTY = terminal
    vi.restoreAllMocks()
    enableProgressBars()
  })

  it('is shown on a terminal when it takes long, unless it is turned off', async () => {
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

describe('the reports of map', () => {
  afterEach(() => {
    setProgressReporter(undefined)
  })
  const wait = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 60))
  const slow = async (): Promise<object> => {
    await wait()
    return {}
  }

  it('is reported on long work, to the end', async () => {
    const reports: WorkProgress[] = []
    setProgressReporter(report => reports.push(report))
    await dataset.map(slow, { batched: true, batchSize: 1, desc: 'Slowly' })
    expect(reports.at(-1)).toMatchObject({ description: 'Slowly', done: 4, total: 4 })
    expect(reports.length).toBeGreaterThan(1)
  })

  it('is not reported on short work; a reporter among the options replaces the common one', async () => {
    const common: WorkProgress[] = []
    const own: WorkProgress[] = []
    setProgressReporter(report => common.push(report))
    await dataset.map(() => ({}))
    await dataset.map(slow, { batched: true, batchSize: 1, onProgress: report => own.push(report) })
    expect(common).toEqual([])
    expect(own.length).toBeGreaterThan(0)
  })
})
