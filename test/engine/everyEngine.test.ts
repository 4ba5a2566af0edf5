import { createEngine } from '../../src/engine/Engine'
import type { Engine } from '../../src/engine/types'
import { setLogLevel } from '../../src/logging'
import { createProfile, profiledEngine } from '../../src/training/profile'
import { hindranceOf } from '../helpers/hindrance'
import { pretendedDevice } from '../helpers/pretendedDevice'
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

for (const device of ['webgpu', 'cuda'] as const) {
  const open = (): Promise<Engine> => createEngine({ device })
  if ((await hindranceOf(device)) === undefined) testEngine({ name: `ONNX Runtime on ${device}`, resident: true, open })
}
