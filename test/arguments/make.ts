import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { TrainerError } from '../../src/errors'
import { TrainingArguments, type TrainingArgumentsOptions } from '../../src/TrainingArguments'

/** Training arguments of any options, as JavaScript could give them. */
export const make = (options: Record<string, unknown>): TrainingArguments =>
  new TrainingArguments(options as TrainingArgumentsOptions)

/** The error's message, or 'accepted'. */
export const refusal = (options: Record<string, unknown>): string => {
  try {
    make(options)
  } catch (error) {
    expect(error).toBeInstanceOf(TrainerError)
    return (error as TrainerError).message
  }
  return 'accepted'
}

/** The text that transformers 5.23's `TrainingArguments(...).to_dict()` gives. */
export const python = readFileSync(join(import.meta.dirname, '../fixtures/training_args.python.json'), 'utf8')
export const pythonDict = JSON.parse(python) as Record<string, unknown>
