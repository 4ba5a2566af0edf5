import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../src/models/config'
import { clipCoefficient } from '../../src/optim/clip'
import { decays } from '../../src/optim/groups'
import { definitionOf } from '../helpers/oracleModels'

const oracle = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/optim/decay.json'), 'utf8')) as Record<
  string,
  { config: ModelConfig; names: Record<string, boolean> }
>

describe('weight decay', () => {
  it.each(Object.entries(oracle))("applies to %s's parameters as in Hugging Face's Trainer", (_, { config, names }) => {
    expect(
      definitionOf(config)
        .parameters.map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(names).toSorted())
    expect(Object.fromEntries(Object.keys(names).map(name => [name, decays(name)]))).toEqual(names)
  })

  // by the patterns of get_decay_parameter_names
  it.each([
    ['layer.norm.weight', false],
    ['final_norm.weight', false],
    ['input_layernorm.weight', false],
    ['norm', false],
    ['enormous.weight', true],
    ['normal.weight', true],
    ['RMSNorm.scale', false],
    ['dense.bias', false],
  ])('of %s: %s', (name, expected) => {
    expect(decays(name)).toBe(expected)
  })
})

describe('clipCoefficient', () => {
  // appendix A.5: gradients [3, 4] and [12] have the norm 13
  it('limits the norm to its maximum', () => {
    const coefficient = clipCoefficient(13, 1)
    expect([3, 4, 12].map(v => v * coefficient)).toEqual(
      [0.23076922, 0.30769229, 0.92307687].map(v => expect.closeTo(v, 7)),
    )
  })

  it('never enlarges, and 0 means no clipping', () => {
    expect([clipCoefficient(0.5, 1), clipCoefficient(0, 1), clipCoefficient(1e9, 0), clipCoefficient(5, -1)]).toEqual([
      1, 1, 1, 1,
    ])
  })
})
