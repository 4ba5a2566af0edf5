// files of artifacts in places where others are expected, and places where they are not
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AutoModel, generateArtifacts, setLogLevel, TrainingArtifacts, type TrainingArtifactsOptions } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { generated, mlpFile } from './generated'

setLogLevel('error')

const fixtures = join(import.meta.dirname, '../fixtures/onnx')
const official = join(fixtures, 'artifacts-prefix-and-outputs')
/** Its evaluation graph keeps parameters as constants, which could be taken for those of a forward graph. */
const constants = join(fixtures, 'artifacts-drawn/l1-sgd-constants')

async function folderOf(dialect: 'portable' | 'onnxruntime-training', prefix = ''): Promise<string> {
  return dirname((await generated({ dialect, prefix, nominalCheckpoint: false }, mlpFile())).checkpoint)
}

describe('a graph of artifacts in the place of a forward graph', () => {
  const message = (kind: string, path: string, folder: string, prefix: string): string =>
    `${path} is the ${kind} graph of training artifacts, not a forward graph. To train them, load the folder: ` +
    `TrainingArtifacts.fromPretrained('${folder}'${prefix === '' ? '' : `, { prefix: '${prefix}' }`}).`

  it.each([
    ['official', official, 'pebble_v2.'],
    ['official with constants', constants, ''],
    ['portable', '', 'my-'],
    ['of the other dialect', '', ''],
  ])('is refused with what loads it: %s', async (what, given, prefix) => {
    const folder = given === '' ? await folderOf(prefix === '' ? 'onnxruntime-training' : 'portable', prefix) : given
    for (const kind of ['training', 'eval', 'optimizer', 'initial']) {
      const path = join(folder, `${prefix}${kind}_model.onnx`)
      if (!existsSync(path)) continue
      // an evaluation graph in ordinary operators of the other dialect has nothing that tells it from others
      const expected =
        what === 'of the other dialect' && kind === 'eval'
          ? /it may be one of the files of training artifacts: TrainingArtifacts\.fromPretrained\(folder\) loads these\./
          : message(kind === 'eval' ? 'evaluation' : kind, path, folder, prefix)
      await expect(AutoModel.fromOnnx(path)).rejects.toThrow(expected)
      await expect(generateArtifacts(path, { loss: 'mse' })).rejects.toThrow(expected)
    }
    await TrainingArtifacts.fromPretrained(folder, { prefix }) // the advice
  })

  it('is no graph that artifacts were exported to', async () => {
    const file = join(temporaryFolder(), 'model.onnx')
    await (
      await TrainingArtifacts.fromPretrained(official, { prefix: 'pebble_v2.' })
    ).exportForInference(file, ['logits'])
    expect((await AutoModel.fromOnnx(file)).parameters.size).toBeGreaterThan(0)
  })
})

describe('a place without artifacts', () => {
  const refusal = async (folder: string, options: TrainingArtifactsOptions = {}): Promise<string> => {
    const error = await TrainingArtifacts.fromPretrained(folder, options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    return (error as Error).message
  }

  it('is named with its folder', async () => {
    const folder = await folderOf('portable')
    expect(await refusal(folder, { nominal: true })).toBe(
      `There is no file ${folder}/nominal_checkpoint. Leave nominal out to read checkpoint; ` +
        'generateArtifacts() writes both with nominalCheckpoint: true.',
    )
    copyFileSync(`${folder}/checkpoint`, `${folder}/checkpoint.after`)
    expect(await refusal(folder, { checkpoint: 'chekpoint' })).toBe(
      `There is no file ${folder}/chekpoint, and no chekpoint. In ${folder} there are "checkpoint", "checkpoint.after".`,
    )
    expect(await refusal(folder, { checkpoint: '/nowhere/checkpoint' })).toBe(
      `There is no file /nowhere/checkpoint. In ${folder} there are "checkpoint", "checkpoint.after".`,
    )
    expect(await refusal(join(folder, 'none'))).toBe(`There is no folder ${folder}/none.`)
  })

  it('is not looked for in the working directory where a nominal checkpoint is asked for', async () => {
    const [folder, elsewhere] = [await folderOf('portable'), temporaryFolder()]
    copyFileSync(`${folder}/checkpoint`, `${elsewhere}/nominal_checkpoint`)
    const before = process.cwd()
    try {
      process.chdir(elsewhere)
      expect(await refusal(folder, { nominal: true })).toContain(`There is no file ${folder}/nominal_checkpoint.`)
    } finally {
      process.chdir(before)
    }
  })

  it('is a file, whose folder is named with the prefix', async () => {
    const folder = await folderOf('portable', 'a_')
    for (const name of ['a_training_model.onnx', 'a_checkpoint', 'a_optimizer_model.onnx'])
      expect(await refusal(join(folder, name))).toBe(
        `${folder}/${name} is a file, where the folder of artifacts is expected. To train them, load the folder: ` +
          `TrainingArtifacts.fromPretrained('${folder}', { prefix: 'a_' }).`,
      )
    const other = join(temporaryFolder(), 'notes.txt')
    writeFileSync(other, 'x')
    expect(await refusal(other)).toContain(`${basename(other)} is a file, where the folder of artifacts is expected.`)
  })
})
