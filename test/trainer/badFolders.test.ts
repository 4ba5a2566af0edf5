import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoModelForSequenceClassification, AutoTokenizer } from '../../src/index'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { checkpointsIn, createTrainer, run } from './support'

const tokenizerFolder = join(import.meta.dirname, '../../examples/data/tokenizer')

/** A saved model's folder. */
async function saved(): Promise<string> {
  const trainer = createTrainer()
  await trainer.saveModel()
  return trainer.args.outputDir
}

describe('a folder that is not a model', () => {
  it('a missing safetensors file', async () => {
    const path = await saved()
    rmSync(join(path, 'model.safetensors'))
    await expect(AutoModelForSequenceClassification.fromPretrained(path)).rejects.toThrow(/model\.safetensors/)
  })

  it('a truncated safetensors file', async () => {
    const path = await saved()
    truncateSync(join(path, 'model.safetensors'), 700)
    await expect(AutoModelForSequenceClassification.fromPretrained(path)).rejects.toThrow(
      /model\.safetensors.*(ends|truncated|bytes|incomplete)/s,
    )
  })

  it('an unknown model_type', async () => {
    const path = await saved()
    writeFileSync(join(path, 'config.json'), JSON.stringify({ model_type: 'brt' }))
    await expect(AutoModelForSequenceClassification.fromPretrained(path)).rejects.toThrow(/"brt".*bert/s)
  })
})

describe('a folder that cannot be written', () => {
  it('a folder that cannot be written, before any work is done', async () => {
    const place = join(temporaryFolder(), 'file')
    writeFileSync(place, '')
    let begun = false
    await expect(
      run({ outputDir: join(place, 'out') }, { callbacks: [{ onTrainBegin: () => void (begun = true) }] }),
    ).rejects.toThrow(/Cannot write .*choose another folder/s)
    expect(begun).toBe(false)
  })

  it.skipIf(process.getuid?.() === 0)('a folder without permission', async () => {
    const place = join(temporaryFolder(), 'closed')
    mkdirSync(place)
    chmodSync(place, 0o500)
    await expect(run({ outputDir: place })).rejects.toThrow(/Cannot write .*permission/s)
  })

  // no folder can be made there, and Node's recursive mkdir would never return
  it.skipIf(process.platform !== 'linux')(
    'a folder in /proc',
    async () => {
      const tokenizer = await AutoTokenizer.fromPretrained(tokenizerFolder)
      await expect(run({ outputDir: '/proc/ts-trainer/out' })).rejects.toThrow(/Cannot write/)
      await expect(createTrainer().saveModel('/proc/ts-trainer/model')).rejects.toThrow(/Cannot write/)
      await expect(tokenizer.save('/proc/ts-trainer/tokenizer')).rejects.toThrow(/Cannot write/)
    },
    20_000,
  )

  it('a file in place of the folder of a model', async () => {
    const place = join(temporaryFolder(), 'model')
    writeFileSync(place, 'kept')
    await expect(createTrainer().saveModel(place)).rejects.toThrow(
      /Cannot write the folder .*: it is a file\. Choose another folder/s,
    )
    expect(readFileSync(place, 'utf8')).toBe('kept')
  })
})

it('a broken checkpoint is named, and the others are kept', async () => {
  const { outputDir } = await run({ saveStrategy: 'steps', saveSteps: 2 })
  cpSync(join(outputDir, 'checkpoint-2'), join(outputDir, 'checkpoint-9'), { recursive: true })
  rmSync(join(outputDir, 'checkpoint-9', 'trainer_state.json'))
  await expect(run({ outputDir }, { resumeFromCheckpoint: join(outputDir, 'checkpoint-9') })).rejects.toThrow(
    /checkpoint-9 cannot be resumed: .*trainer_state\.json/,
  )
  expect(checkpointsIn(outputDir)).toEqual(['checkpoint-2', 'checkpoint-4', 'checkpoint-6', 'checkpoint-9'])
  await expect(run({ outputDir: temporaryFolder() }, { resumeFromCheckpoint: true })).rejects.toThrow(
    /no whole checkpoint/,
  )
})
