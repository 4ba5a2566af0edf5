import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { framed, logHeader, recordsIn } from '../../../src/trackers/wandb/transactionLog'

const fixtures = join(import.meta.dirname, '../../fixtures/wandb')

function fileOf(records: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [logHeader]
  let place = logHeader.length
  for (const record of records) {
    parts.push(framed(record, place))
    place += parts.at(-1)!.length
  }
  return Buffer.concat(parts)
}

it("frames records of all sizes as wandb's DataStore does, and reads them back", () => {
  const { sizes, sha256 } = JSON.parse(readFileSync(join(fixtures, 'framing.json'), 'utf8')) as {
    sizes: number[]
    sha256: string
  }
  const records = sizes.map((size, number) => Uint8Array.from({ length: size }, (_, i) => 31 * i + number))
  const file = fileOf(records)
  expect(createHash('sha256').update(file).digest('hex')).toBe(sha256)
  const found = [...recordsIn(file, 'a file')]
  expect(found.map(({ record }) => Buffer.from(record).equals(records[found.findIndex(one => one.record === record)]!)))
    .toEqual(sizes.map(() => true)) // prettier-ignore
  expect(found.at(-1)!.end).toBe(file.length)
})

it("reads a run of Python's, and frames its records as they were", () => {
  const file = readFileSync(join(fixtures, 'run.wandb'))
  const records = [...recordsIn(file, 'run.wandb')].map(({ record }) => record)
  expect(records.length).toBeGreaterThan(40)
  expect(fileOf(records).equals(file)).toBe(true)
})

it('ends at a record that is cut off or damaged, and refuses other files', () => {
  const file = fileOf([Uint8Array.of(1, 2, 3), new Uint8Array(40_000)])
  const whole = (bytes: Uint8Array): number => [...recordsIn(bytes, 'a file')].length
  expect(whole(file)).toBe(2)
  for (const length of [7, 8, 16, 17, 20, 33_000, file.length - 1])
    expect([length, whole(file.subarray(0, length))]).toEqual([length, length < 17 ? 0 : 1])
  const damaged = Buffer.from(file)
  damaged[40_000]! ^= 1
  expect(whole(damaged)).toBe(1)
  expect(() => whole(Buffer.from('PK..'))).toThrow('a file is no transaction log of Weights & Biases')
})
