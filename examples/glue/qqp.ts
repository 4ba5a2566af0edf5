// Do two questions ask the same? Quora Question Pairs (Iyer et al. 2017).
//
//   npx tsx examples/glue/qqp.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'qqp',
  columns: ['question1', 'question2'],
  classes: ['not_duplicate', 'duplicate'],
  metric: loadMetric('glue', 'qqp'), // accuracy and F1
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
