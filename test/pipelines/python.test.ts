// what Python's pipelines (transformers 4.57.6) answered to random texts: `npm run verify -- pipelines --write FILE` made the fixture
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differenceOf } from '../../scripts/verify/answersAlike'
import { type Outcome, ours, saveCase, type Subject } from '../../scripts/verify/pipelines'
import { setLogLevel } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'

setLogLevel('error')

interface Stored extends Subject {
  readonly calls: readonly { readonly inputs: unknown }[]
  readonly answers: readonly Outcome[]
}

const stored = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/pipelines.json'), 'utf8')) as Stored[]

describe('answers to random texts', () => {
  it.each(stored.map(one => [`${one.task}, ${one.kind} ${JSON.stringify(one.model)}`, one] as const))(
    "%s are Python's",
    async (_, { calls, answers, ...subject }) => {
      const own = await saveCase(subject, calls.length, temporaryFolder())
      expect(own.calls).toEqual(calls)
      const found = await ours(own)
      for (const [at, { inputs }] of calls.entries())
        expect(differenceOf(inputs, found[at]!, answers[at]!), JSON.stringify(inputs)).toBeUndefined()
    },
  )
})
