import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoTokenizer, createProfile, Dataset, type Profile } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { smallModel, texts } from '../helpers/classifier'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'

async function train(folder: string, profile?: Profile): Promise<number> {
  const tokenizer = await AutoTokenizer.fromPretrained(join(import.meta.dirname, '../../examples/data/tokenizer'))
  const trainDataset = await Dataset.fromRows(texts.map((text, row) => ({ text, label: row % 2 }))).map(({ text }) =>
    tokenizer(text),
  )
  const trainer = quietTrainer({
    model: smallModel(),
    trainDataset,
    processingClass: tokenizer,
    ...(profile && { profile }),
    args: { outputDir: folder, maxSteps: 2, perDeviceTrainBatchSize: 3, saveStrategy: 'no' },
  })
  const { trainingLoss } = await trainer.train()
  await trainer.dispose()
  return trainingLoss
}

describe('a profile', () => {
  it('says what the phases and the operators took, and changes nothing', async () => {
    const folder = temporaryFolder()
    const profile = createProfile({ operators: join(folder, 'operators') })
    expect(await train(folder, profile)).toBe(await train(folder))

    const counts = (phase: string): number => profile.spans.filter(span => span.phase === phase).length
    expect(['pack', 'masks', 'run', 'collect', 'update'].map(counts)).toEqual([2, 2, 2, 2, 2])
    for (const { start, end } of profile.spans) expect(end).toBeGreaterThan(start)

    expect(profile.programs.map(({ name }) => name)).toEqual(['training/1'])
    const events = JSON.parse(readFileSync(profile.programs[0]!.file, 'utf8')) as {
      cat?: string
      args?: { op_name?: string }
    }[]
    expect(events.filter(({ cat, args }) => cat === 'Node' && args?.op_name === 'Gemm').length).toBeGreaterThan(2 * 12)
  })

  it('of phases only writes no files', async () => {
    const profile = createProfile()
    await train(temporaryFolder(), profile)
    expect([profile.spans.length, profile.programs]).toEqual([10, []])
  })
})
