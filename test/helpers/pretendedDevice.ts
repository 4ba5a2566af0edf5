import { openLibrary } from '../../src/engine/Engine'
import { OrtEngine } from '../../src/engine/ort'
import type { Engine } from '../../src/engine/types'

/** An engine that handles the processor's memory as it would a device's, so that buffers can be tested anywhere. */
export function pretendedDevice(): Engine {
  const provider = { name: 'cpu', append: () => undefined, memory: 'Cpu' }
  return new OrtEngine(openLibrary(), { provider, threads: 1, spinning: undefined, deterministic: true }, 'a test')
}
