// Is a sentence of a film review positive? The Stanford Sentiment Treebank (Socher et al. 2013).
//
//   npx tsx examples/glue/sst2.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'sst2',
  columns: ['sentence'],
  classes: ['negative', 'positive'],
  metric: loadMetric('glue', 'sst2'), // accuracy
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
