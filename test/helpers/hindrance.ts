import { createEngine } from '../../src/engine/Engine'
import { findWebgpuDriver } from './webgpu'

/** Why no engine can be made on a device of this machine, which is printed too; undefined where one can. */
export async function hindranceOf(device: 'webgpu' | 'cuda'): Promise<string | undefined> {
  const found = (device === 'webgpu' ? findWebgpuDriver() : undefined) ?? (await refusalOf(device))
  if (found !== undefined) process.stdout.write(`skipped: ONNX Runtime on ${device}: ${found}\n`)
  return found
}

async function refusalOf(device: string): Promise<string | undefined> {
  try {
    ;(await createEngine({ device })).dispose()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
