// Texts with options against what the Rust tokenizers give.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoTokenizer, type Tokenizer, TrainerError } from '../../src/index'
import type { TokenizerOptions } from '../../src/index'
import { type Checked, compareEqual, verdict } from './compare'

interface TokenizerCase {
  readonly text: string | readonly string[]
  readonly text_pair: string | readonly string[] | null
  readonly options: Readonly<Record<string, unknown>>
  /** What the tokenizer returns, or the Python class of the error that it throws. */
  readonly result: Readonly<Record<string, unknown>>
}

/** Checks a folder of `tokenizer`: a tokenizer's files, and cases.json. */
export async function checkTokenizer(folder: string): Promise<Checked> {
  const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as {
    readonly cases: readonly TokenizerCase[]
  }
  const tokenizer = await AutoTokenizer.fromPretrained(folder)
  const computed = cases.map(one => ({ ...one, result: resultOf(tokenizer, one) }))
  const comparisons = cases.map((one, i) =>
    compareEqual(`cases[${i}] with ${JSON.stringify(one.options)}`, sorted(computed[i]!.result), sorted(one.result)),
  )
  return { verdict: verdict(comparisons), computed: { cases: computed } }
}

/** What our tokenizer returns; where both throw, the error has the oracle's name. */
function resultOf(
  tokenizer: Tokenizer,
  { text, text_pair: pair, options, result }: TokenizerCase,
): Readonly<Record<string, unknown>> {
  const spelt = Object.fromEntries(
    Object.entries(options).map(([name, value]) => [camelCase(name), value]),
  ) as TokenizerOptions
  try {
    return { ...tokenizer(text as string, pair as string, spelt) }
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error
    return { error: result.error ?? `${error.name}: ${error.message}` }
  }
}

function sorted(result: object): unknown {
  return Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1))
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
