// 10,000 pairs through ts-trainer's tokenizer, in a process of its own: job.json → result.json
import { readFileSync, writeFileSync } from 'node:fs'
import { AutoTokenizer } from '../../src/index'
import type { TokenizeJob, TokenizeResult } from './job'

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as TokenizeJob
const [first, second] = JSON.parse(readFileSync(job.pairs, 'utf8')) as [string[], string[]]
const tokenizer = await AutoTokenizer.fromPretrained(job.tokenizer)
const passes: number[] = []
let ids: number[][] = []
for (let pass = 0; pass < job.passes; pass++) {
  ids = []
  const start = performance.now()
  for (let i = 0; i < first.length; i += job.batch) {
    ids.push(
      ...tokenizer(first.slice(i, i + job.batch), second.slice(i, i + job.batch), {
        truncation: true,
        maxLength: job.maxLength,
      }).input_ids,
    )
  }
  passes.push((performance.now() - start) / 1000)
}
writeFileSync(job.result, JSON.stringify({ passes, ids, version: '' } satisfies TokenizeResult))
