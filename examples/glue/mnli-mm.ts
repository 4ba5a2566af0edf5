// MNLI again, evaluated on the genres that its training rows do not have: the mismatched half of its validation.
//
//   npx tsx examples/glue/mnli-mm.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'mnli-mm',
  rows: 'mnli',
  columns: ['premise', 'hypothesis'],
  classes: ['entailment', 'neutral', 'contradiction'],
  validation: 'validation_mismatched',
  metric: loadMetric('glue', 'mnli_mismatched'), // accuracy
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
