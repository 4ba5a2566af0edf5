import { describe, expect, it } from 'vitest'
import { renamedArguments } from '../../src/arguments/renamed'
import { camelCase, snakeCase } from '../../src/arguments/spelling'
import { argumentNames, argumentRow } from '../../src/arguments/table'
import { TrainerError } from '../../src/errors'
import { TrainingArguments } from '../../src/TrainingArguments'
import { pythonDict, refusal } from './make'

describe('names', () => {
  it.each(Object.keys(renamedArguments))('%s is refused with what to do instead, in both spellings', name => {
    expect(refusal({ [name]: 1 })).toContain(renamedArguments[name])
    expect(refusal({ [snakeCase(name)]: 1 })).toContain(renamedArguments[name])
  })

  it('names in renamedArguments are not arguments themselves, and what they point to exists', () => {
    for (const [name, why] of Object.entries(renamedArguments)) {
      expect(argumentNames).not.toContain(name)
      const present = /(?:it is now|its name is) (\w+)/.exec(why)?.[1]
      if (present !== undefined && present !== 'processingClass') expect(argumentNames).toContain(present)
    }
  })

  it('misspelt ones get the nearest, all problems at once', () => {
    expect(refusal({ learnignRate: 1 })).toBe('learnignRate is not a training argument. Did you mean learningRate?')
    expect(refusal({ completelyElsewhere: 1 })).toBe('completelyElsewhere is not a training argument.')
    expect(refusal({ learning_rate: 1 })).toContain('learning_rate is spelt learningRate here')
    expect(refusal({ evaluationStrategy: 'epoch', seed: 'x' })).toBe(
      '2 training arguments are wrong:\n' +
        '- evaluationStrategy is not a training argument: it is now evalStrategy.\n' +
        "- seed should be a whole number of at least 0 and at most 4294967295, but is 'x' (a text).",
    )
  })

  it('do not compile if misspelt, or with a value of another kind', () => {
    // @ts-expect-error a misspelt name
    expect(() => new TrainingArguments({ learnignRate: 1 })).toThrow(TrainerError)
    // @ts-expect-error a value that evalStrategy does not have
    expect(() => new TrainingArguments({ evalStrategy: 'step' })).toThrow(
      "evalStrategy should be 'no', 'steps' or 'epoch', but is 'step'.",
    )
  })

  it('go from camelCase to snake_case and back', () => {
    for (const name of argumentNames) expect(camelCase(snakeCase(name))).toBe(name)
    expect(argumentNames.filter(name => argumentRow(name).mark !== 'own').map(snakeCase)).toEqual(
      Object.keys(pythonDict),
    )
  })
})
