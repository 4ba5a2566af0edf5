import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cudaBuilds } from '../../src/engine/cudaWheels'
import { knownOptions } from '../../src/engine/providerOptions'

const page = readFileSync(join(import.meta.dirname, '../../docs/devices.md'), 'utf8')

describe('docs/devices.md', () => {
  it.each(Object.values(cudaBuilds))('has the versions and sizes of CUDA $cuda', build => {
    const row = page.split('\n').find(line => line.startsWith(`| \`${build.cuda}\``))!
    const fetched = build.wheels.reduce((sum, { bytes }) => sum + bytes, 0)
    const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
    for (const cell of [build.version, `${build.driver} or newer`, gigabytes(fetched), gigabytes(build.unpacked)])
      expect(row).toContain(`| ${cell} |`)
  })

  it.each(Object.entries(knownOptions))('has every option of %s', (_, options) => {
    for (const option of options) expect(page).toContain(`\`${option}\``)
  })
})
