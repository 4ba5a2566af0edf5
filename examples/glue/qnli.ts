// Does a sentence hold the answer to a question? SQuAD's questions (Rajpurkar et al. 2016), as pairs.
//
//   npx tsx examples/glue/qnli.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('qnli')
