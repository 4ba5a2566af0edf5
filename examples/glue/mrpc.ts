// Do two sentences say the same? The Microsoft Research Paraphrase Corpus (Dolan and Brockett 2005).
//
//   npx tsx examples/glue/mrpc.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('mrpc')
