// checkpoints that name or shape their parameters otherwise than a fresh model would
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import {
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  type PretrainedOptions,
  type PreTrainedModel,
  setLogSink,
} from '../../src/index'
import { expectLogits, pathOf, predictBatch, read } from './support'

type Expected = Record<string, Readonly<Record<string, Plain>> & { readonly missing: string[] }>

let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_level, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

describe.each<[string, (folder: string, options?: PretrainedOptions) => Promise<PreTrainedModel>]>([
  ['albertHead', AutoModelForMaskedLM.fromPretrained],
  ['modernbertHead', AutoModelForMaskedLM.fromPretrained],
  ['debertaShapes', AutoModelForSequenceClassification.fromPretrained],
])('%s', (family, fromPretrained) => {
  const inputs = read<Record<string, Plain>>(family, 'inputs.json')
  const expected = Object.entries(read<Expected>(family, 'expected.json'))

  it.each(expected)('%s', async (name, { missing, ...outputs }) => {
    const model = await fromPretrained(pathOf(family, name))
    const fresh = said.filter(message => message.includes('not initialized'))
    const list = missing.map(parameter => `'${parameter}'`).join(', ')
    expect(fresh).toEqual(missing.length === 0 ? [] : [expect.stringContaining(`newly initialized: [${list}]`)])
    const others = said.filter(message => !message.includes('not initialized'))
    if (name !== 'other-decoder-weight') expect(others).toEqual([])
    else expect(others).toEqual([expect.stringMatching(/but the file has both, with different values/)])
    const { predictions } = await predictBatch(model, inputs)
    for (const [output, plain] of Object.entries(outputs)) expectLogits(output, predictions, plain)
  })
})
