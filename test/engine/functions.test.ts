import { describe, expect, it } from 'vitest'
import { functions } from '../../src/engine/functions'
import { openLibrary } from '../../src/engine/Engine'

describe("the table of the C API's functions", () => {
  it('has the positions that onnxruntime_c_api.h gives', () => {
    const known = {
      CreateEnv: 3,
      CreateSessionFromArray: 8,
      Run: 9,
      CreateTensorWithDataAsOrtValue: 49,
      GetTensorMutableData: 51,
      CreateMemoryInfo: 68,
      CreateAllocator: 131,
      RunWithBinding: 133,
      CreateIoBinding: 134,
      BindInput: 136,
      BindOutputToDevice: 138,
      GetBoundOutputValues: 140,
      SessionOptionsAppendExecutionProvider_CUDA_V2: 204,
      SessionOptionsAppendExecutionProvider: 216,
      RegisterExecutionProviderLibrary: 301,
      CopyTensors: 386,
    }
    for (const [name, index] of Object.entries(known))
      expect(functions[name as keyof typeof functions].index, name).toBe(index)
  })

  it('names each position once', () => {
    const indexes = Object.values(functions).map(({ index }) => index)
    expect(new Set(indexes).size).toBe(indexes.length)
  })

  it('reads a build that answers', () => {
    const api = openLibrary()
    expect(api.version).toMatch(/^1\.\d+/)
    expect(api.GetBuildInfoString()).toMatch(/^ORT Build Info/)
    expect(api.has('CopyTensors')).toBe(Number(api.version.split('.')[1]) >= 23)
  })
})
