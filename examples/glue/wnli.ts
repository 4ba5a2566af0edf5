// Is a sentence true with its pronoun replaced? The Winograd Schema Challenge (Levesque et al. 2011), as pairs.
//
//   npx tsx examples/glue/wnli.ts --model sentence-transformers/all-MiniLM-L6-v2 --data nyu-mll/glue
import { runGlue } from './run'

await runGlue('wnli')
