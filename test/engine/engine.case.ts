import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/types'
import { bufferCases } from './cases/buffers'
import { refusalCases } from './cases/refusals'
import { dataTypeCases, runningCases } from './cases/running'
import type { EngineCases, Subject } from './cases/subject'
import { transferCases } from './cases/transfers'
import { turnCases } from './cases/turns'
import { valueCases } from './cases/values'

/** One implementation of Engine. */
export interface Implementation {
  readonly name: string
  /** Whether its values live outside the processor's memory, as it has to say itself. */
  readonly resident: boolean
  open(): Promise<Engine>
}

/** Everything that the interface promises, tested on one implementation. */
export function testEngine({ name, resident, open }: Implementation): void {
  const everywhere = [runningCases, dataTypeCases, valueCases, turnCases, transferCases, refusalCases]
  const cases: EngineCases = Object.assign({}, ...everywhere, resident ? bufferCases : {}) as EngineCases

  describe.each([name])('%s', () => {
    let subject: Subject
    beforeAll(async () => {
      subject = { engine: await open(), open }
    })
    afterAll(() => subject.engine.dispose())

    it('says where its values live', () => {
      expect(subject.engine.resident).toBe(resident)
    })

    it.each(Object.entries(cases))('%s', (_, expectation) => expectation(subject))
  })
}
