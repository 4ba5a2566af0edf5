// Does a premise entail a hypothesis, contradict it, or neither? MultiNLI (Williams et al. 2018), evaluated on the
// genres of its training rows, and at the end on others too.
//
//   npx tsx examples/glue/mnli.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'mnli',
  columns: ['premise', 'hypothesis'],
  classes: ['entailment', 'neutral', 'contradiction'],
  validation: 'validation_matched',
  mismatched: 'validation_mismatched',
  metric: loadMetric('glue', 'mnli'), // accuracy
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
