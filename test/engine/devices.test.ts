import { describe, expect, it } from 'vitest'
import { createEngine, type EngineOptions } from '../../src/engine/Engine'
import { parseDevice } from '../../src/engine/deviceName'
import { checkedOptions } from '../../src/engine/providerOptions'
import { findWebgpuDriver } from '../helpers/webgpu'

describe('the name of a device', () => {
  it.each([
    ['cpu', 'cpu', undefined],
    ['CUDAExecutionProvider', 'cuda', undefined],
    ['cuda:1', 'cuda', 1],
    ['dml:0', 'dml', 0],
  ])('%s', (device, provider, index) => {
    expect(parseDevice(device)).toEqual({ provider, index })
  })

  it.each([
    ['cuda:', /Device 'cuda:' is not one: a number has to follow the colon\. Write 'cuda:0' for the first/],
    ['cuda:x', /'cuda:x' is not one/],
    ['cuda:-1', /'cuda:-1' is not one/],
    ['cuda:0:1', /'cuda:0:1' is not one/],
    ['cpu:0', /'cpu:0' is not one: .*threads/],
    ['webgpu:1', /'webgpu:1' is not one: .*powerPreference/],
    ['auto:1', /'auto:1' is not one: /],
    ['openvino:cpu', /'openvino:cpu' is not one: .+ needs its file: pluginLibrary/],
  ])('%s is refused', async (device, message) => {
    expect(() => parseDevice(device)).toThrow(message)
    if (device !== 'auto:1') await expect(createEngine({ device })).rejects.toThrow(message)
  })

  it.each([
    ['gpu', /Provider 'gpu' is not in this build.+Did you mean 'auto'\?$/],
    ['mps', /Did you mean 'webgpu'\?$/],
    ['', /Provider '' is not in this build/],
  ])("'%s' is not one here", async (device, message) => {
    await expect(createEngine({ device })).rejects.toThrow(message)
  })

  it.skipIf(process.platform === 'win32')("'dml' is said to be of Windows", async () => {
    const refused = /'dml' is not in this build.+DirectML is of Windows.+Here use one of: cpu(?!.*tensorrt).+, auto\.$/
    await expect(createEngine({ device: 'dml' })).rejects.toThrow(refused)
    await expect(createEngine({ device: 'dml:1' })).rejects.toThrow(refused)
  })

  it.skipIf(process.platform === 'darwin')("'coreml' is said to be of macOS", async () => {
    await expect(createEngine({ device: 'coreml' })).rejects.toThrow(
      /'coreml' is not in this build.+CoreML is of macOS.+Here use one of: cpu.+, auto\.$/,
    )
  })
})

describe('the options of a provider', () => {
  it('have the number of its device', () => {
    const second = { provider: 'cuda', index: 1 }
    expect(checkedOptions(second, { use_tf32: '0' })).toEqual({ use_tf32: '0', device_id: '1' })
    expect(checkedOptions(second, { device_id: '1' })).toEqual({ device_id: '1' })
    expect(() => checkedOptions(second, { device_id: '0' })).toThrow(
      "device is 'cuda:1', but providerOptions has device_id: '0'. Leave device_id out.",
    )
  })

  it("are known by WebGPU's own keys, and by those of a session", () => {
    const webgpu = { provider: 'webgpu', index: undefined }
    const options = { validationMode: 'basic', storageBufferCacheMode: 'simple' }
    expect(checkedOptions(webgpu, options)).toEqual(options)
    expect(checkedOptions(webgpu, { 'ep.webgpuexecutionprovider.validationMode': 'basic' })).toEqual({
      validationMode: 'basic',
    })
  })

  it.each([
    [
      'webgpu',
      { validatonMode: 'basic' },
      'The provider \'webgpu\' has no option "validatonMode". Did you mean "validationMode"?',
    ],
    [
      'webgpu',
      { nonsense: '1' },
      'The provider \'webgpu\' has no option "nonsense". It has, among others: powerPreference, ',
    ],
    ['webgpu', { nonsense: '1' }, 'multiRotaryCacheConcatOffset.'], // and not enableGraphCapture, which is refused
    ['webgpu', { webgpuDevice: '1' }, 'has no option "webgpuDevice"'],
    ['dml', { deviceid: '1' }, 'The provider \'dml\' has no option "deviceid". Did you mean "device_id"?'],
    ['webgpu', { enableGraphCapture: '1' }, 'The provider option enableGraphCapture would play recorded runs again'],
    ['cuda', { enable_cuda_graph: '1' }, 'The provider option enable_cuda_graph would play recorded runs again'],
    ['cuda', { use_tf32: 0 }, 'The provider option "use_tf32" has to be a text, but is 0. Write use_tf32: \'0\'.'],
    ['cpu', { use_tf32: '0' }, 'takes no options, but providerOptions has "use_tf32"'],
  ])('%s refuses %j', (provider, options, message) => {
    const given = options as unknown as Readonly<Record<string, string>>
    expect(() => checkedOptions({ provider, index: undefined }, given)).toThrow(message)
  })

  const hindrance = findWebgpuDriver()
  if (hindrance !== undefined) process.stdout.write(`skipped: options of WebGPU: ${hindrance}\n`)
  const create = async (providerOptions: EngineOptions['providerOptions']): Promise<void> =>
    (await createEngine({ device: 'webgpu', providerOptions: providerOptions! })).dispose()

  it.runIf(hindrance === undefined)('reach WebGPU, which names a value that it does not know', async () => {
    await create({ validationMode: 'full', storageBufferCacheMode: 'bucket', enableGraphCapture: '0' })
    await expect(create({ validationMode: 'odd' })).rejects.toThrow(
      /^Provider 'webgpu' does not start: Invalid validation mode: odd\. Look at the value of this option/,
    )
    await expect(create({ storageBufferCacheMode: 'odd' })).rejects.toThrow(
      /Invalid buffer cache mode: odd\. Look at the value/,
    )
    await expect(create({ nonsense: '1' })).rejects.toThrow('has no option "nonsense"')
  })
})
