// a training run in a process of its own, which the test stops by signals: node --import tsx stoppingProcess.ts FOLDER
// JIT
import { setLogSink } from '../../src/index'
import { collate } from '../helpers/collate'
import { quietTrainer } from '../helpers/quietTrainer'
import { tinyModel } from '../helpers/tinyModel'
import { dataset, plain } from './plainRun'

const [outputDir = '', jit = 'false'] = process.argv.slice(2)
setLogSink((_level, message) => void process.send!(`log: ${message}`))
const slow = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
const trainer = quietTrainer({
  model: tinyModel(),
  args: { ...plain, outputDir, maxSteps: 100_000, enableJitCheckpoint: jit === 'true' },
  trainDataset: dataset(12),
  dataCollator: collate,
  callbacks: [
    {
      onStepEnd: async (_args, { globalStep }) => {
        if (globalStep === 3) process.send!('running')
        if (globalStep >= 3) await slow(150) // a long update
      },
    },
  ],
})
const { globalStep } = await trainer.train()
process.send!(`ended at ${globalStep}`)
await trainer.dispose()
process.disconnect()
