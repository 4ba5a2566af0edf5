// Is a sentence true with its pronoun replaced? The Winograd Schema Challenge (Levesque et al. 2011), as pairs.
//
//   npx tsx examples/glue/wnli.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'wnli',
  columns: ['sentence1', 'sentence2'],
  classes: ['not_entailment', 'entailment'],
  metric: loadMetric('glue', 'wnli'), // accuracy
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
