// Does one sentence entail another? Recognizing Textual Entailment (Dagan et al. 2006, and its successors).
//
//   npx tsx examples/glue/rte.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('rte')
