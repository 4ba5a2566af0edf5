import { expect, it } from 'vitest'
import { logMessages } from '../helpers/logMessages'
import { onlyStep } from './arguments/effects'
import { run } from './support'

const messages = logMessages()

it("says in the log where device 'auto' trains, and why not elsewhere", async () => {
  await run({ ...onlyStep, device: 'auto', logLevel: 'info' })
  expect(messages.filter(message => /^Device auto: '(cpu|webgpu|cuda)' is .+\.$/.test(message))).toHaveLength(1)
})
