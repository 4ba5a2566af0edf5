import { describe, expect, it } from 'vitest'
import { doctor, type DoctorReport } from '../../src/engine/doctor'
import { formatDoctor } from '../../src/engine/formatDoctor'
import { findWebgpuDriver } from '../helpers/webgpu'

findWebgpuDriver() // the doctor starts every provider

const lacking = { works: false, reason: 'it does not' }

describe('doctor', () => {
  it('finds the library, starts the providers and says why others do not start', async () => {
    const report = await doctor()
    expect(report.library.problem).toBeUndefined()
    expect(report.library.version).toMatch(/^1\.\d+/)
    const known = { cuda: undefined, missing: [], fixes: [] }
    expect(report.providers[0]).toEqual({ name: 'cpu', works: true, reason: undefined, ...known })
    for (const { works, reason } of report.providers) expect(works).toBe(reason === undefined)
    expect(report.processor.threads).toBeGreaterThan(0)
    expect(report.memory.total).toBeGreaterThan(report.memory.free)
    const text = formatDoctor(report)
    expect(text).toContain(report.library.path)
    expect(text).toMatch(/Providers +cpu: works/)
    const words = text.replace(/\s+/g, ' ')
    for (const { reason, missing, fixes } of report.providers) {
      if (reason !== undefined && missing.length === 0) expect(words).toContain(reason)
      for (const word of [...missing, ...fixes]) expect(words).toContain(word)
    }
    for (const line of text.split('\n')) if (!line.includes('/')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('names what a provider lacks, the command that brings it, and the GPUs', async () => {
    const report: DoctorReport = {
      ...(await doctor()),
      providers: [
        {
          ...lacking,
          name: 'cuda',
          cuda: '12',
          missing: ['libcublasLt.so.12', 'libcudnn.so.9'],
          fixes: ['Run: this.'],
        },
      ],
      nvidia: {
        driver: '12.8',
        gpus: [{ name: 'NVIDIA H100', capability: 90, memory: 80 * 2 ** 30 }],
        installed: [{ cuda: '12', version: '1.26.0', folder: '/there' }],
      },
    }
    expect(formatDoctor(report)).toContain(
      [
        'Providers     cuda, built for CUDA 12, does not work',
        '                missing: cuBLAS of CUDA 12 (libcublasLt.so.12), cuDNN 9',
        '                (libcudnn.so.9)',
        '                Run: this.',
        'CUDA          12 with ONNX Runtime 1.26.0, by install cuda: /there',
        'NVIDIA        the driver runs CUDA up to 12.8',
        '              cuda:0: NVIDIA H100, compute capability 9.0, 80.0 GiB',
      ].join('\n'),
    )
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
