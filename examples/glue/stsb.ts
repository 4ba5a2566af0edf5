// How alike are two sentences, from 0 to 5? The Semantic Textual Similarity Benchmark (Cer et al. 2017).
//
//   npx tsx examples/glue/stsb.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { loadMetric } from 'ts-trainer'
import { runGlue } from './run'

await runGlue({
  task: 'stsb',
  columns: ['sentence1', 'sentence2'],
  metric: loadMetric('glue', 'stsb'), // Pearson's and Spearman's correlations
  defaults: {
    // after Devlin et al. 2019 (arXiv:1810.04805), section 4.1
    learningRate: 5e-5,
    numTrainEpochs: 3,
    perDeviceTrainBatchSize: 32,
    evalStrategy: 'epoch',
  },
})
