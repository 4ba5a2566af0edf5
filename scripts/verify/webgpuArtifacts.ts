// official training artifacts, trained on WebGPU by Trainer
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createEngine } from '../../src/index'
import { findWebgpuDriver } from '../../test/helpers/webgpu'
import { type ArtifactCase, type ArtifactRun, runArtifacts } from '../reference/artifactRun'
import { isNoise } from '../reference/parameters'
import { collectStrays } from '../reference/strays'
import type { Check } from './Check'

/** Largest relative difference of losses and of a parameter's norm that is none. */
const tolerance = 1e-3

type Numbers = ReadonlyMap<string, number>

type Computed = Pick<ArtifactRun, 'steps' | 'evaluation' | 'parameters'>

/** The losses of a run, and the norms of its parameters. */
function numbersOf({ steps, evaluation, parameters }: Computed): Numbers {
  return new Map([
    ...steps.map(({ loss }, i) => [`loss of step ${i}`, loss] as const),
    ['evaluation loss', evaluation.loss] as const,
    ...Object.entries(parameters)
      .filter(([name]) => !isNoise(name))
      .map(([name, { norm }]) => [`norm of ${name}`, norm] as const),
  ])
}

/** The largest relative difference, and of what; NaN is worse than all. */
function worst(given: Numbers, expected: Numbers): readonly [number, string] {
  const each = [...expected].map(([what, value]) => {
    return [Math.abs((given.get(what) ?? NaN) - value) / Math.abs(value), what] as const
  })
  return each.reduce((largest, one) => (one[0] <= largest[0] ? largest : one))
}

/**
 * Trains a case on WebGPU and on the processor; whether they agree, and a line about it.
 * @param strays the warnings of nodes that WebGPU has left to the processor, which are none.
 */
async function tryCase(folder: string, strays: string[]): Promise<readonly [passes: boolean, line: string]> {
  const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as ArtifactCase
  const work = mkdtempSync(join(tmpdir(), 'webgpu-'))
  try {
    const run = await runArtifacts(folder, oracle, work, 'webgpu')
    const found = numbersOf(run)
    const [fromOfficial, what] = worst(found, numbersOf(oracle))
    const [fromProcessor] = worst(found, numbersOf(await runArtifacts(folder, oracle, work, 'cpu')))
    const [stray] = [...strays.splice(0), ...run.roundTrips]
    if (stray !== undefined) return [false, `STRAYS: ${stray}`]
    const passes = fromOfficial <= tolerance || fromProcessor <= tolerance
    const beside = fromOfficial <= tolerance ? '' : ', where the processor is as far from it (docs/log.md)'
    const line = `${fromOfficial.toExponential(1)} from the official runtime at most (${what})${passes ? beside : ''}, `
    return [passes, `${passes ? 'same' : 'APART'}: ${line}${fromProcessor.toExponential(1)} from the processor`]
  } catch (error) {
    return [false, `FAILED: ${(error as Error).message}`]
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

export const webgpuArtifacts: Check = {
  does: 'Trains folders of official artifacts on WebGPU, with every node there; losses and norms of parameters are those of the official runtime, or where that overwrites its own gradients (docs/log.md) those of the processor, to 1e-3.',
  needs:
    "a folder of cases with case.json, and a driver of Vulkan (Debian's chromium and libvulkan1 have one in software)",
  takes: 'some minutes in software',
  options: 'DIR [--case NAME]',
  async run(options, print) {
    const { values, positionals } = parseArgs({
      args: [...options],
      allowPositionals: true,
      options: { case: { type: 'string' } },
    })
    const [folder] = positionals
    if (folder === undefined) throw new Error('webgpu-artifacts needs the folder of the cases.')
    const cases = readdirSync(folder).filter(name => existsSync(join(folder, name, 'case.json')))
    const chosen = cases.filter(name => values.case === undefined || name === values.case)
    if (chosen.length === 0) throw new Error(`${folder} has no case ${values.case ?? 'with case.json'}.`)
    const why = findWebgpuDriver()
    if (why !== undefined) {
      print(`skipped: ${why}`)
      return true
    }
    const strays = collectStrays()
    const engine = await createEngine({ device: 'webgpu' })
    print(`ONNX Runtime ${engine.version}, webgpu`)
    engine.dispose()
    let failed = 0
    for (const name of chosen) {
      const [passes, line] = await tryCase(join(folder, name), strays)
      if (!passes) failed++
      print(`${name}: ${line}`)
    }
    print(`${chosen.length} cases, ${chosen.length - failed} the same to ${tolerance}, with every node on WebGPU`)
    return failed === 0
  },
}
