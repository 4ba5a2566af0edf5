// Is a sentence of a film review positive? The Stanford Sentiment Treebank (Socher et al. 2013).
//
//   npx tsx examples/glue/sst2.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('sst2')
