import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { argumentNames, argumentRow } from '../../src/arguments/table'
import { TrainingArguments } from '../../src/index'
import { computing } from './arguments/computing'
import { type Effects, onlyStep } from './arguments/effects'
import { evaluating } from './arguments/evaluating'
import { loading } from './arguments/loading'
import { logging } from './arguments/logging'
import { looping } from './arguments/looping'
import { optimizing } from './arguments/optimizing'
import { saving } from './arguments/saving'
import { plain, run } from './support'

const effects: Effects = { ...optimizing, ...looping, ...loading, ...logging, ...evaluating, ...saving, ...computing }

describe('every argument that a user must or should have', () => {
  const wanted = argumentNames.filter(
    name => ['M', 'S'].includes(argumentRow(name).mark) && argumentRow(name).refused === undefined,
  )

  it('has a test', () => {
    expect(wanted.filter(name => effects[name] === undefined)).toEqual([])
  })

  it.each(Object.entries(effects))('%s', async (_name, expectation) => {
    await expectation()
  })
})

it('what is written of the arguments is read again', async () => {
  const { outputDir } = await run({ ...onlyStep, saveStrategy: 'steps' })
  const read = TrainingArguments.fromJSON(readFileSync(join(outputDir, 'checkpoint-1', 'training_args.json'), 'utf8'))
  expect(read.toDict()).toEqual(
    new TrainingArguments({ ...plain, ...onlyStep, saveStrategy: 'steps', outputDir }).toDict(),
  )
})
