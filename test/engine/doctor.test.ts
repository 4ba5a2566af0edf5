import { describe, expect, it } from 'vitest'
import { doctor, formatDoctor } from '../../src/engine/doctor'
import { findWebgpuDriver } from '../helpers/webgpu'

findWebgpuDriver() // the doctor starts every provider

describe('doctor', () => {
  it('finds the library, starts the providers and says why others do not start', async () => {
    const report = await doctor()
    expect(report.library.problem).toBeUndefined()
    expect(report.library.version).toMatch(/^1\.\d+/)
    expect(report.providers[0]).toEqual({ name: 'cpu', works: true, reason: undefined })
    for (const { works, reason } of report.providers) expect(works).toBe(reason === undefined)
    expect(report.processor.threads).toBeGreaterThan(0)
    expect(report.memory.total).toBeGreaterThan(report.memory.free)
    const text = formatDoctor(report)
    expect(text).toContain(report.library.path)
    expect(text).toMatch(/Providers +cpu: works/)
    for (const { reason } of report.providers) if (reason !== undefined) expect(text).toContain(reason)
  })

  it('says what is missing rather than throw', async () => {
    const before = process.env['ONNXRUNTIME_LIBRARY']
    process.env['ONNXRUNTIME_LIBRARY'] = '/nowhere/at/all'
    try {
      const report = await doctor()
      expect(report.library.problem).toMatch(/ONNXRUNTIME_LIBRARY names it\. Looked at: .*nowhere/)
      expect(report.providers).toEqual([])
      expect(formatDoctor(report)).toContain('Looked at')
    } finally {
      if (before === undefined) delete process.env['ONNXRUNTIME_LIBRARY']
      else process.env['ONNXRUNTIME_LIBRARY'] = before
    }
  })
})
