// gradients in 16 bits beside those of PyTorch's autocast: test/fixtures/models/autocast.json
import { expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import { createEngine } from '../../src/engine/Engine'
import { compute, type Computed, distance } from '../helpers/compute'
import { batchOf, readJson } from '../helpers/oracle'
import { type FamilyName, oracleModel } from '../helpers/oracleModels'
import { enginesOn } from '../helpers/sharedEngines'

interface Run {
  readonly loss: number
  readonly gradients: Readonly<Record<string, Plain>>
}
type Precision = 'float32' | 'float16' | 'bfloat16'
type Case = Readonly<Record<Precision, Run>> & { readonly inputs: Record<string, Plain> }

const cases = readJson<Readonly<Record<string, Case>>>('autocast.json')

/** PyTorch's values are those of the mean loss. */
const theirs = ({ loss, gradients }: Run): Computed => ({
  loss,
  count: 1,
  gradients: new Map(Object.entries(gradients).map(([name, { data }]) => [name, Float64Array.from(data)])),
})

async function ours(family: FamilyName, { inputs }: Case, precision: Precision): Promise<Computed> {
  const reduced = precision === 'float32' ? {} : { training: precision }
  const engines = enginesOn(await createEngine({ threads: 1 }), reduced)
  return compute(await oracleModel(family), [batchOf(inputs)], { engines })
}

it.each(Object.entries(cases))(
  '%s is as far from float32 as under autocast, and close to that',
  async (family, given) => {
    const single = theirs(given.float32)
    expect(distance(await ours(family as FamilyName, given, 'float32'), single)).toBeLessThan(1e-4)
    for (const [precision, bits] of [
      ['float16', 11],
      ['bfloat16', 8],
    ] as const) {
      const rounding = 2 ** -bits
      const own = await ours(family as FamilyName, given, precision)
      const autocast = theirs(given[precision])
      expect(distance(own, single)).toBeLessThan(Math.min(2e-2, 2 * distance(autocast, single)))
      expect(distance(own, autocast)).toBeLessThan(4 * rounding)
      expect(Math.abs(own.loss / own.count / autocast.loss - 1)).toBeLessThan(rounding / 4)
    }
  },
)
