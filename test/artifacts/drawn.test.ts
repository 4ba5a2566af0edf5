// official artifacts of exported models, each with its own loss, optimizer, frozen list and constants: what the official runtime made of them
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type ArtifactCase, runArtifacts } from '../../scripts/reference/artifactRun'
import { checkpointDifference } from '../../scripts/verify/checkpointDifference'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { logMessages } from '../helpers/logMessages'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { findWebgpuDriver } from '../helpers/webgpu'

const drawn = fileURLToPath(new URL('../fixtures/onnx/artifacts-drawn', import.meta.url))

// mse: SGD after clipping, three batches an update; l1: SGD, constants; bce: AdamW that is not corrected, with decay; attention: cross-entropy
it.each(readdirSync(drawn))('%s trains as in the official runtime', async name => {
  const folder = join(drawn, name)
  const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as ArtifactCase
  const ran = await runArtifacts(folder, oracle, temporaryFolder())
  expect(ran.steps).toHaveLength(6)
  for (const [i, { loss }] of ran.steps.entries()) expect(loss).toBeCloseTo(oracle.steps[i]!.loss, 5)
  expect(ran.evaluation.loss).toBeCloseTo(oracle.evaluation.loss, 5)
  const after = await readCheckpointFile(join(folder, 'checkpoint.after'))
  expect(ran.checkpoint.optimizer?.step).toBe(6 / oracle.accumulate)
  expect(checkpointDifference(ran.checkpoint, after)).toBeLessThan(1e-5)
})

const hindrance = findWebgpuDriver()

describe.skipIf(hindrance !== undefined)(
  `on WebGPU${hindrance === undefined ? '' : ` (skipped: ${hindrance})`}`,
  () => {
    const messages = logMessages('warning')

    it.each(readdirSync(drawn))('%s trains as in the official runtime, with every node there', async name => {
      const folder = join(drawn, name)
      const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as ArtifactCase
      const ran = await runArtifacts(folder, oracle, temporaryFolder(), 'webgpu')
      for (const [i, { loss }] of ran.steps.entries()) expect(loss).toBeCloseTo(oracle.steps[i]!.loss, 5)
      expect(ran.evaluation.loss).toBeCloseTo(oracle.evaluation.loss, 5)
      expect(ran.roundTrips).toEqual([])
      expect(messages.filter(message => message.includes('to the processor'))).toEqual([])
    })
  },
)
