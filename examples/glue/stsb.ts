// How alike are two sentences, from 0 to 5? The Semantic Textual Similarity Benchmark (Cer et al. 2017).
//
//   npx tsx examples/glue/stsb.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('stsb')
