// the process of test/trackers/hanging.test.ts
import { quietTrainer } from '../helpers/quietTrainer'
import { collate } from '../helpers/collate'
import { tinyModel } from '../helpers/tinyModel'
import { dataset, plain } from '../trainer/plainRun'

const [outputDir = '', how] = process.argv.slice(2)
const trainer = quietTrainer({
  model: tinyModel(),
  args: { ...plain, outputDir, reportTo: ['mlflow', 'trackio', 'tensorboard', 'jsonl'] },
  trainDataset: dataset(12),
  dataCollator: collate,
  callbacks: [
    {
      onStepEnd: (_args, { globalStep, maxSteps }) => {
        if (globalStep < maxSteps) return
        process.send?.('last step')
        process.disconnect()
        if (how === 'fails') throw new Error('it fails')
      },
    },
  ],
})
await trainer.train()
await trainer.dispose()
