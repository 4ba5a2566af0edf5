// low-rank adapters as PEFT saves them: bases without a head, layers by name, ending and pattern, and other kinds
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import { placeAdapter } from '../../src/adapters/placement'
import {
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  PeftModel,
  type PreTrainedModel,
  setLogSink,
} from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { expectLogits, pathOf, predictBatch, read } from './support'

interface Adapter {
  readonly scaling: Record<string, number>
  readonly logits?: Plain
  readonly start_logits?: Plain
  readonly end_logits?: Plain
}
type Found = Adapter & { readonly value?: Adapter }

let said: string[] = []
beforeEach(() => {
  said = []
  setLogSink((_level, message) => void said.push(message))
})
afterEach(() => setLogSink(() => undefined))

const classes: Record<string, { fromPretrained(folder: string): Promise<PreTrainedModel<unknown>> }> = {
  'token-cls': AutoModelForTokenClassification,
  'question-answering': AutoModelForQuestionAnswering,
}

const open = async (folder: string): Promise<PeftModel> => {
  const model = await (classes[folder] ?? AutoModelForSequenceClassification).fromPretrained(
    pathOf('adapterHeads', folder),
  )
  expect(model).toBeInstanceOf(PeftModel)
  return model as PeftModel
}

describe('an adapter on a base without a head', () => {
  const inputs = read<Record<string, Plain>>('adapterHeads', 'inputs.json')
  const expected = Object.entries(read<Record<string, Found>>('adapterHeads', 'expected.json'))
  const numeric = expected.filter(([, { value, ...own }]) => (value ?? own).scaling !== undefined)

  it.each(numeric)('%s', async (name, found) => {
    const { scaling, logits, start_logits, end_logits } = found.value ?? found
    const model = await open(name)
    expect(said).toEqual([])
    const named = { model: model.base.definition, prefix: 'bert' }
    const { layers } = placeAdapter(named, model.peftConfig, { where: name, isFile: true })
    expect(Object.fromEntries([...layers].map(([layer, { scale }]) => [layer, scale]))).toEqual(scaling)
    for (const one of [model, model.mergeAndUnload()]) {
      const { predictions } = await predictBatch(one, inputs)
      const tensors = [predictions].flat()
      const plain = [logits ?? start_logits, end_logits].filter(each => each !== undefined)
      expect(tensors).toHaveLength(plain.length)
      for (const [i, each] of plain.entries()) expectLogits(name, tensors[i]!, each)
    }
  })

  it('whose head nobody has is new and random, and says so', async () => {
    await open('no-head')
    expect(said).toEqual([expect.stringContaining("newly initialized: ['classifier.bias', 'classifier.weight']")])
  })
})

describe('an adapter that is not supported', () => {
  const { want, changes } = read<{
    want: Record<string, { refuse?: string }>
    changes: Record<string, Record<string, unknown>>
  }>('adapterRefusals', 'expected.json')

  const folderOf = (name: string): string => {
    const root = temporaryFolder()
    const folder = join(root, 'adapter')
    cpSync(pathOf('adapterRefusals', 'base'), join(root, 'base'), { recursive: true })
    mkdirSync(folder)
    cpSync(pathOf('adapterRefusals', 'plain'), folder, { recursive: true })
    const config = { ...read<object>('adapterRefusals', 'plain', 'adapter_config.json'), ...changes[name] }
    const present = Object.entries(config).filter(([, value]) => value !== '~absent')
    rmSync(join(folder, 'adapter_config.json'))
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(Object.fromEntries(present)))
    return folder
  }

  it.each(Object.keys(changes).filter(name => want[name]!.refuse !== undefined))('%s', async name => {
    const field = want[name]!.refuse!.split(/[ :,]/)[0]!
    const value = Object.values(changes[name]!)[0]
    const opened = AutoModelForSequenceClassification.fromPretrained(folderOf(name))
    const camel = field.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
    await expect(opened).rejects.toThrow(new RegExp(`\\b(${field}|${camel})\\b`))
    await expect(opened).rejects.toThrow(/adapter_config\.json/)
    if (typeof value === 'string' && value !== '~absent') await expect(opened).rejects.toThrow(value)
  })

  it('an unknown field that is off changes nothing', async () => {
    const model = await AutoModelForSequenceClassification.fromPretrained(folderOf('future-field-off'))
    const { predictions } = await predictBatch(model, read('adapterRefusals', 'inputs.json'))
    const { plain } = want as unknown as Record<string, { logits: Plain }>
    expectLogits('logits', predictions, plain!.logits)
  })
})
