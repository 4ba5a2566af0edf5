/**
 * Checks that take longer than tests may, by name: each tries what users do, and says what came of it.
 *
 * Run: npm run verify                         lists the checks, and what each needs
 *      npm run verify -- NAME [options]       runs one; with status 1 where it fails
 */
import { nearest } from '../src/errors'
import { ctrlC } from './verify/ctrlC'
import { deviceReference } from './verify/deviceReference'
import { hubCache } from './verify/hubCache'
import { hubPush } from './verify/hubPush'
import { adapters } from './verify/adapters'
import { pipelines } from './verify/pipelines'
import { ownHeads } from './verify/ownHeads'
import { savedFolders } from './verify/savedFolders'
import { trackers } from './verify/trackers'
import { trainedArtifacts } from './verify/trainedArtifacts'
import { wandb } from './verify/wandbRuns'
import { webgpuArtifacts } from './verify/webgpuArtifacts'
import type { Check } from './verify/Check'

const checks: Readonly<Record<string, Check>> = {
  adapters,
  artifacts: trainedArtifacts,
  'ctrl-c': ctrlC,
  'device-reference': deviceReference,
  'hub-cache': hubCache,
  'hub-push': hubPush,
  pipelines,
  'own-heads': ownHeads,
  'saved-folders': savedFolders,
  trackers,
  wandb,
  'webgpu-artifacts': webgpuArtifacts,
}

async function main([name, ...options]: readonly string[]): Promise<void> {
  if (name === undefined) return list()
  const check = Object.hasOwn(checks, name) ? checks[name]! : undefined
  if (check !== undefined) {
    const passed = await check.run(options, line => console.log(line))
    if (!passed) process.exitCode = 1
    return
  }
  const near = nearest(name, Object.keys(checks))
  const fix = near === undefined ? `The checks are ${Object.keys(checks).join(', ')}.` : `Did you mean ${near}?`
  throw new Error(`There is no check "${name}". ${fix}`)
}

function list(): void {
  console.log('npm run verify -- NAME runs one of these checks:\n')
  for (const [name, { does, needs, takes, options }] of Object.entries(checks))
    console.log(`${name} ${options}\n  ${does}\n  Needs ${needs}; takes ${takes}.`)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
