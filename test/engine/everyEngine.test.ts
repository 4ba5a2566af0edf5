import { createEngine } from '../../src/engine/Engine'
import type { Engine } from '../../src/engine/types'
import { setLogLevel } from '../../src/logging'
import { createProfile, profiledEngine } from '../../src/training/profile'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { findWebgpuDriver } from '../helpers/webgpu'
import { testEngine } from './engine.case'

setLogLevel('error') // some cases are of types that a device leaves to the processor, with a warning

const onProcessor = (): Promise<Engine> => createEngine({ threads: 2 })

testEngine({ name: 'ONNX Runtime on the processor', resident: false, open: onProcessor })
testEngine({
  name: "ONNX Runtime, the processor's memory handled as a device's",
  resident: true,
  open: async () => pretendedDevice(),
})
testEngine({
  name: 'a profiled engine',
  resident: false,
  open: async () => profiledEngine(await onProcessor(), createProfile()),
})
testEngine({
  name: 'a profiled engine on a device',
  resident: true,
  open: async () => profiledEngine(pretendedDevice(), createProfile()),
})

for (const [device, hindrance] of [
  ['webgpu', findWebgpuDriver()],
  ['cuda', undefined],
] as const) {
  const open = (): Promise<Engine> => createEngine({ device })
  const reason = hindrance ?? (await refusalOf(open))
  if (reason === undefined) testEngine({ name: `ONNX Runtime on ${device}`, resident: true, open })
  else process.stdout.write(`skipped: ONNX Runtime on ${device}: ${reason}\n`)
}

/** Why an engine cannot be opened on this machine; undefined where it can. */
async function refusalOf(open: () => Promise<Engine>): Promise<string | undefined> {
  try {
    ;(await open()).dispose()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
