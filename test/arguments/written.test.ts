import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { camelCase } from '../../src/arguments/spelling'
import { TrainerError } from '../../src/errors'
import { TrainingArguments } from '../../src/TrainingArguments'
import { make, refusal } from './make'

type Dict = Readonly<Record<string, unknown>>
const file = join(import.meta.dirname, '../fixtures/arguments.json')
/** What `to_dict()` of transformers 5.24 holds: scripts/fixtures/arguments.py writes it. */
const { defaults, cases } = JSON.parse(readFileSync(file, 'utf8')) as { defaults: Dict; cases: [Dict, Dict][] }

/** Values that are the same in other words, or in Python the same as its default. */
const spelling: Dict = { accelerator_config: null }
const respelt: Readonly<Record<string, (value: unknown) => unknown>> = {
  eval_accumulation_steps: value => value ?? 1,
  optim_args: value =>
    typeof value === 'string' ? value.replaceAll(' ', '').replace('1e-3', '0.001').replace('true', 'True') : value,
}

/** What is wrong with how a dict of Python's is read: nothing where it is honoured, or refused by name. */
function faultOf(given: Dict, wrote: Dict): string | undefined {
  const dict = { ...defaults, ...wrote }
  try {
    const read = TrainingArguments.fromJSON(JSON.stringify(dict)).toDict()
    for (const [name, value] of Object.entries({ ...dict, ...(wrote.accelerator_config === undefined && spelling) })) {
      const wanted = JSON.stringify(respelt[name]?.(value) ?? value)
      if (JSON.stringify(read[name]) !== wanted) return `${name} is ${JSON.stringify(read[name])}, not ${wanted}`
    }
    return undefined
  } catch (error) {
    if (!(error instanceof TrainerError)) return String(error)
    const names = [...Object.keys(given), ...Object.keys(wrote)].map(camelCase)
    return names.some(name => error.message.includes(name)) ? undefined : error.message
  }
}

describe('a dict that Python wrote', () => {
  it('has every argument', () => {
    expect(cases.length).toBeGreaterThan(250)
    const set = new Set(cases.flatMap(([given]) => Object.keys(given)))
    expect(Object.keys(defaults).filter(name => !set.has(name))).toEqual([
      'parallelism_config',
      'ddp_backend',
      'deepspeed',
    ])
  })

  it('is read as it is, or refused by the name of what is not honoured', () => {
    const faults = cases.flatMap(([given, wrote]) => {
      const fault = faultOf(given, wrote)
      return fault === undefined ? [] : [`${JSON.stringify(given)}: ${fault}`]
    })
    expect(faults).toEqual([])
  })

  it('is read where it has only arguments that the loop reads', () => {
    const drawn = cases.slice(-50)
    const refused = drawn
      .filter(([given]) => !('train_sampling_strategy' in given))
      .map(([, wrote]) => {
        try {
          TrainingArguments.fromJSON({ ...defaults, ...wrote })
          return ''
        } catch (error) {
          return (error as Error).message
        }
      })
    expect(refused.filter(message => message !== '')).toEqual([])
  })
})

describe('gradient checkpointing under two names', () => {
  const both = { activationCheckpointing: true, gradientCheckpointing: true }

  it('is on by either, in files that say both too', () => {
    for (const name of ['activation_checkpointing', 'gradient_checkpointing'])
      expect(TrainingArguments.fromJSON({ [name]: true })).toMatchObject(both)
    const python = { activation_checkpointing: true, gradient_checkpointing: true }
    const kwargs = { activation_checkpointing_kwargs: null, gradient_checkpointing_kwargs: null }
    const read = TrainingArguments.fromJSON({ output_dir: 'out', ...python, ...kwargs })
    expect(read).toMatchObject(both)
    expect(read.toDict()).toMatchObject(python)
  })

  it('is changed by either', () => {
    expect(make(both).with({ gradientCheckpointing: false })).toMatchObject({ activationCheckpointing: false })
    expect(make({ activationCheckpointing: false }).with({ gradientCheckpointing: true })).toMatchObject(both)
  })

  it('is refused where they differ', () => {
    expect(refusal({ activationCheckpointing: true, gradientCheckpointing: false })).toMatch(
      /two names of one argument. Leave one of them out/,
    )
  })
})
