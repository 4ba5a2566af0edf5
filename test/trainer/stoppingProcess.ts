// a training run in a process of its own, which the test stops by signals: node --import tsx stoppingProcess.ts FOLDER
// OPTIONS
import { setLogSink, type TrainingArgumentsOptions } from '../../src/index'
import { collate } from '../helpers/collate'
import { quietTrainer } from '../helpers/quietTrainer'
import { tinyModel } from '../helpers/tinyModel'
import { dataset, plain } from './plainRun'

export interface StoppingOptions extends TrainingArgumentsOptions {
  /** How long an update takes, in ms; 150 unless given. */
  readonly update?: number
}

const [outputDir = '', options = '{}'] = process.argv.slice(2)
const { update = 150, ...args } = JSON.parse(options) as StoppingOptions
setLogSink((_level, message) => void process.send!(`log: ${message}`))
const slow = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
const trainer = quietTrainer({
  model: tinyModel(),
  args: { ...plain, maxSteps: 100_000, ...args, outputDir },
  trainDataset: dataset(12),
  dataCollator: collate,
  callbacks: [
    {
      onStepEnd: async (_args, { globalStep }) => {
        if (globalStep === 3) process.send!('running')
        if (globalStep >= 3) await slow(update)
      },
    },
  ],
})
const { globalStep } = await trainer.train()
process.send!(`ended at ${globalStep}`)
await slow(100) // what is left of the key press may come now
await trainer.dispose()
process.disconnect()
