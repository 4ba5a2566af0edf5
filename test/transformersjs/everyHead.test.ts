import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel, Tensor } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { inTransformersJs, outputsOfFile } from '../../scripts/verify/inTransformersJs'
import { everyHead, largestDifference, saveAndPredict, tolerance } from '../../scripts/verify/savedFolders'
import { temporaryFolder } from '../helpers/temporaryFolder'

setLogLevel('error')

// `npm run verify -- saved-folders` tries all families, and Python
describe("a saved folder of BERT's heads", () => {
  it.each(everyHead().filter(({ family }) => family === 'bert'))(
    '$task: predicts the same',
    async ({ family, task }) => {
      const folder = join(temporaryFolder(), 'saved')
      mkdirSync(folder)
      const saved = await saveAndPredict(family, task, 5, folder)
      const found = (await inTransformersJs(saved)) ?? (await outputsOfFile(saved))
      expect(Object.keys(found)).toEqual(Object.keys(saved.outputs))
      expect(largestDifference(saved, found)).toBeLessThan(tolerance)
      const [name, { data, dims }] = Object.entries(saved.outputs)[0]!
      const moved = new Tensor('float32', data.with(0, data[0]! + 0.01), dims)
      expect(largestDifference(saved, { ...found, [name]: moved })).toBeGreaterThan(tolerance)
    },
  )
})
