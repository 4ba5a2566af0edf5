// Do two questions ask the same? Quora Question Pairs (Iyer et al. 2017).
//
//   npx tsx examples/glue/qqp.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('qqp')
