// Do two sentences say the same? The Microsoft Research Paraphrase Corpus (Dolan and Brockett 2005).
//
//   npx tsx examples/glue/mrpc.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'mrpc',
  columns: ['sentence1', 'sentence2'],
  classes: ['not_equivalent', 'equivalent'],
  metric: loadMetric('glue', 'mrpc'), // accuracy and F1
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
