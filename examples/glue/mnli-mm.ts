// MNLI again, evaluated on the genres that its training rows do not have: the mismatched half of its validation.
//
//   npx tsx examples/glue/mnli-mm.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('mnli-mm')
