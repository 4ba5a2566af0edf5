import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { argumentNames, argumentRow } from '../../src/arguments/table'
import { TrainingArguments } from '../../src/index'
import { bestModel, checkpoints } from './arguments/checkpoints'
import { data, seeds } from './arguments/data'
import { duration } from './arguments/duration'
import { onlyStep } from './arguments/effects'
import { engine } from './arguments/engine'
import { evaluation } from './arguments/evaluation'
import { pushes } from './arguments/hub'
import { learningRate } from './arguments/learningRate'
import { logging } from './arguments/logging'
import { optimizer } from './arguments/optimizer'
import { plain, run } from './support'

const subjects = {
  ...{ duration, learningRate, optimizer, logging, evaluation },
  ...{ checkpoints, bestModel, pushes, seeds, data, engine },
}

it('every argument that can be set has one test of what it changes', () => {
  const accepted = argumentNames.filter(name => argumentRow(name).refused === undefined)
  expect(Object.values(subjects).flatMap(Object.keys).toSorted()).toEqual(accepted.toSorted())
})

describe.each(Object.entries(subjects))('what arguments change: %s', (_subject, effects) => {
  it.each(Object.entries(effects))('%s', async (_name, expectEffect) => {
    expect.hasAssertions()
    await expectEffect()
  })
})

it('what is written of the arguments is read again', async () => {
  const { outputDir } = await run({ ...onlyStep, saveStrategy: 'steps' })
  const read = TrainingArguments.fromJSON(readFileSync(join(outputDir, 'checkpoint-1', 'training_args.json'), 'utf8'))
  expect(read.toDict()).toEqual(
    new TrainingArguments({ ...plain, ...onlyStep, saveStrategy: 'steps', outputDir }).toDict(),
  )
})
