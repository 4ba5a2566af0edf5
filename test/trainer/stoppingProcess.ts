// a training run in another process, which the test stops by signals: node --import tsx stoppingProcess.ts FOLDER JIT
import { Dataset, PrinterCallback, setLogSink, Trainer } from '../../src/index'
import { collate, model, plain, rows } from './plainRun'

const [outputDir = '', jit = 'false'] = process.argv.slice(2)
setLogSink((_level, message) => void process.send!(`log: ${message}`))
const slow = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
const trainer = new Trainer({
  model: model(),
  args: { ...plain, outputDir, maxSteps: 100_000, enableJitCheckpoint: jit === 'true' },
  trainDataset: Dataset.fromRows(rows(12)),
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
trainer.removeCallback(PrinterCallback)
const { globalStep } = await trainer.train()
process.send!(`ended at ${globalStep}`)
await trainer.dispose()
process.disconnect()
