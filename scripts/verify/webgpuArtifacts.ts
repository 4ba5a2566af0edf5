// official training artifacts, trained on WebGPU by Trainer
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createEngine, setLogLevel } from '../../src/index'
import { findWebgpuDriver } from '../../test/helpers/webgpu'
import { type ArtifactCase, runArtifacts } from '../reference/artifactRun'
import type { Check } from './Check'

/** Largest relative difference of losses and of a parameter's norm that is none. */
const tolerance = 1e-3

/** The largest relative difference of what WebGPU computes, and of what. */
async function difference(folder: string, work: string): Promise<readonly [number, string]> {
  const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as ArtifactCase
  const run = await runArtifacts(folder, oracle, work, 'webgpu')
  const pairs = [
    ...oracle.steps.map(({ loss }, i) => [`loss of step ${i}`, run.steps[i]!.loss, loss] as const),
    ['evaluation loss', run.evaluation.loss, oracle.evaluation.loss] as const,
    ...Object.entries(oracle.parameters)
      .filter(([name]) => !/\.(key|k_lin|k_proj)\.bias$/.test(name)) // their gradients are rounding
      .map(([name, { norm }]) => [`norm of ${name}`, run.parameters[name]?.norm ?? NaN, norm] as const),
  ]
  const each = pairs.map(([what, given, expected]) => [Math.abs(given - expected) / Math.abs(expected), what] as const)
  return each.reduce((worst, one) => (one[0] <= worst[0] ? worst : one)) // NaN is worse than all
}

export const webgpuArtifacts: Check = {
  does: 'Trains folders of official artifacts on WebGPU; losses and parameters are those of the official runtime to 1e-3.',
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
    setLogLevel('error')
    const engine = await createEngine({ device: 'webgpu' })
    print(`ONNX Runtime ${engine.version}, webgpu`)
    engine.dispose()
    let failed = 0
    for (const name of chosen) {
      const work = mkdtempSync(join(tmpdir(), 'webgpu-'))
      try {
        const [largest, what] = await difference(join(folder, name), work)
        const passes = largest <= tolerance
        if (!passes) failed++
        print(`${passes ? 'same' : 'APART'}: ${name}: ${largest.toExponential(1)} at most, ${what}`)
      } catch (error) {
        failed++
        print(`FAILED: ${name}: ${(error as Error).message}`)
      } finally {
        rmSync(work, { recursive: true, force: true })
      }
    }
    print(`${chosen.length} cases, ${chosen.length - failed} the same to ${tolerance}`)
    return failed === 0
  },
}
