import { describe } from 'vitest'
import { createEngine, type Engine } from '../../src/engine/Engine'
import { createFusedEngine } from '../../src/engine/fused/FusedEngine'
import { createDeviceStore } from '../../src/parameters/deviceStore'
import { createSharedStore } from '../../src/parameters/sharedStore'
import { deviceEngine } from '../helpers/deviceEngine'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { findWebgpuDriver } from '../helpers/webgpu'
import { storeCases } from './store.case'
import type { StoreHome } from './storeRig'

async function shared(): Promise<StoreHome> {
  const engine = await createEngine({ threads: 1 })
  const fused = createFusedEngine({ threads: 2 })
  return {
    engine,
    isExact: true,
    create: options => createSharedStore(options, engine, fused),
    async dispose() {
      engine.dispose()
      await fused.dispose()
    },
  }
}

async function onDevice(engine: Engine): Promise<StoreHome> {
  return {
    engine,
    isExact: engine.provider === 'cpu',
    create: options => createDeviceStore(options, engine),
    async dispose() {
      engine.dispose()
    },
  }
}

describe('the shared store', () => {
  storeCases(shared)
})

describe("the device store with the processor's tensors", () => {
  storeCases(async () => onDevice(await createEngine({ threads: 1 })))
})

describe('the device store with buffers in memory', () => {
  storeCases(async () => onDevice(pretendedDevice()))
})

const hindrance = findWebgpuDriver()
const skipped = hindrance === undefined ? '' : ` (skipped: ${hindrance})`
describe.skipIf(hindrance !== undefined)(`the device store on WebGPU${skipped}`, () => {
  storeCases(async () => onDevice(await deviceEngine({ device: 'webgpu', threads: 1 })))
})
