// Is a sentence good English? The Corpus of Linguistic Acceptability (Warstadt et al. 2018).
//
//   npx tsx examples/glue/cola.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('cola')
