// Does one sentence entail another? Recognizing Textual Entailment (Dagan et al. 2006, and its successors).
//
//   npx tsx examples/glue/rte.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'rte',
  columns: ['sentence1', 'sentence2'],
  classes: ['entailment', 'not_entailment'],
  metric: loadMetric('glue', 'rte'), // accuracy
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
