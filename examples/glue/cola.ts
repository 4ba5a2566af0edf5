// Is a sentence good English? The Corpus of Linguistic Acceptability (Warstadt et al. 2018).
//
//   npx tsx examples/glue/cola.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'cola',
  columns: ['sentence'],
  classes: ['unacceptable', 'acceptable'],
  metric: loadMetric('glue', 'cola'), // Matthews's correlation
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
