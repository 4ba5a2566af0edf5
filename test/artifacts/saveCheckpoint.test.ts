import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { TrainingArtifacts } from '../../src/artifacts/TrainingArtifacts'
import { temporaryFolder } from '../helpers/temporaryFolder'

const folder = fileURLToPath(new URL('../fixtures/onnx/artifacts/mlp-l1', import.meta.url))

it('artifacts write the checkpoint that they were read from, with or without the state of the optimizer', async () => {
  const model = await TrainingArtifacts.fromPretrained(folder, { checkpoint: 'checkpoint.after' })
  const official = await readCheckpointFile(`${folder}/checkpoint.after`)
  const copy = `${temporaryFolder()}/checkpoint`
  await model.saveCheckpoint(copy)
  expect(await readCheckpointFile(copy)).toEqual(official)
  await model.saveCheckpoint(copy, { includeOptimizerState: false })
  const { optimizer, ...rest } = official
  expect(optimizer?.step).toBe(4)
  expect(await readCheckpointFile(copy)).toEqual(rest)
  const wrong = { includeOptimizer: true } as object
  await expect(model.saveCheckpoint(copy, wrong)).rejects.toThrow('includeOptimizer')
})
