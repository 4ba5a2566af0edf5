// Does a premise entail a hypothesis, contradict it, or neither? MultiNLI (Williams et al. 2018), evaluated on the
// genres of its training rows, and at the end on others too.
//
//   npx tsx examples/glue/mnli.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('mnli')
