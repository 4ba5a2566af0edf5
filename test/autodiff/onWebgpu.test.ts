// gradients of windows on WebGPU, whose kernels of them are not everywhere right (docs/log.md)
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/types'
import { encode } from '../../src/onnx/encode'
import { Tensor } from '../../src/tensor'
import { deviceEngine } from '../helpers/deviceEngine'
import { expectNear } from '../helpers/expectNear'
import { evaluate } from '../helpers/referenceEngine'
import { findWebgpuDriver } from '../helpers/webgpu'
import { writeGradients } from '../helpers/writeGradients'
import { windows } from './cases/windows'

const hindrance = findWebgpuDriver()
if (hindrance !== undefined) process.stdout.write(`skipped: gradients of windows on webgpu: ${hindrance}\n`)

let engine: Engine | undefined
afterAll(() => engine?.dispose())

describe.skipIf(hindrance !== undefined)('WebGPU computes the same gradients', () => {
  for (const [op, each] of Object.entries(windows)) {
    for (const { title, build, inputs, ...options } of each) {
      // ConvTranspose has no kernel there for three axes
      it.skipIf(op === 'Conv' && title === 'three axes')(`${op}, ${title}`, async () => {
        engine ??= await deviceEngine({ device: 'webgpu' })
        const { graph, feeds } = writeGradients(build, inputs, 'whole', options, 'float32')
        const fed = Object.entries(feeds).map(([name, x]) => {
          return [
            name,
            x.dtype === 'float64' ? new Tensor('float32', Float32Array.from(x.data as Float64Array), x.dims) : x,
          ] as const
        })
        const program = await engine.load(encode(graph).model)
        const found = await program.run(Object.fromEntries(fed))
        program.dispose()
        for (const [name, expected] of Object.entries(evaluate(graph, feeds))) {
          const value = await engine.download(found[name]!)
          expect(value.dims, name).toEqual(expected.dims)
          expectNear(value.data, expected.data, name, 1e-4)
        }
      })
    }
  }
})
