// pipelines on a device: the processor's answers
import { expect, it } from 'vitest'
import { pipeline, type Pipelines, setLogSink, Tensor } from '../../src/index'
import { saveCase, type Subject } from '../../scripts/verify/pipelines'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { findWebgpuDriver } from '../helpers/webgpu'
import { closeTo } from '../tasks/closeTo'

const missing = findWebgpuDriver()
const texts: Readonly<Record<string, readonly string[]>> = {
  'text-classification': ['the car left', 'night', 'the car left the night over'],
  'fill-mask': ['the car [MASK]', '[MASK] night', 'the [MASK] left'],
  'feature-extraction': ['the car left', 'night', 'the car left the night over'],
}

it.skipIf(missing !== undefined).each(Object.keys(texts) as Subject['task'][])(
  '%s on WebGPU is that of the processor',
  async task => {
    const said: string[] = []
    setLogSink((level, message) => void (level === 'warning' && said.push(message)))
    const { folder } = await saveCase({ task, kind: 'wordpiece', model: {}, seed: 5 }, 0, temporaryFolder())
    const answers: unknown[] = []
    for (const device of ['cpu', 'webgpu']) {
      const run = await pipeline(task as keyof Pipelines, folder, { device, threads: 1 })
      const found = await (run as unknown as (given: unknown) => Promise<unknown>)(texts[task])
      answers.push(found instanceof Tensor ? found.tolist() : found)
      await run.dispose()
    }
    expect(answers[1]).toEqual(closeTo(answers[0], 4))
    expect(said).toEqual([])
  },
)
