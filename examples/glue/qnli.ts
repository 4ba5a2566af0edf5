// Does a sentence hold the answer to a question? SQuAD's questions (Rajpurkar et al. 2016), as pairs.
//
//   npx tsx examples/glue/qnli.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'qnli',
  columns: ['question', 'sentence'],
  classes: ['entailment', 'not_entailment'],
  metric: loadMetric('glue', 'qnli'), // accuracy
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
