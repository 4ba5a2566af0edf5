import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Case, findCases } from './cases'
import { type Checked, describeVerdict, type Verdict } from './compare'

/** How a folder is checked. */
export interface CheckOptions {
  /** Only cases whose name has this in it: a regular expression in which a lone `*` stands for any text. */
  readonly only?: string | undefined
  /** Where models and runs are computed; the processor unless given. */
  readonly device?: string | undefined
  /** A folder in which to store what was computed, as `CASE.json`. */
  readonly write?: string | undefined
  /** Takes a line per case. */
  readonly print: (line: string) => void
}

/** How many cases came out how. */
export type Tally = Readonly<Record<Verdict['kind'], number>>

/**
 * Checks the oracles of a folder laid out like the reference, one after another. A case that throws has failed.
 * @returns the number of cases that passed, failed and were skipped.
 */
export async function checkFolder(folder: string, { only, device, write, print }: CheckOptions): Promise<Tally> {
  const pattern = only === undefined ? undefined : new RegExp(only.replace(/(?<![.)\]\\])\*/g, '.*'))
  const tally = { passed: 0, failed: 0, skipped: 0 }
  for (const one of findCases(folder, device)) {
    if (pattern !== undefined && !pattern.test(one.name)) continue
    const { kind, line, computed } = await checkCase(one)
    print(line)
    tally[kind]++
    if (write !== undefined && computed !== undefined) store(join(write, `${one.name}.json`), computed)
  }
  return tally
}

async function checkCase(
  one: Case,
): Promise<{ readonly kind: Verdict['kind']; readonly line: string; readonly computed?: unknown }> {
  let checked: Checked
  try {
    checked = await one.check()
  } catch (error) {
    return {
      kind: 'failed',
      line: `failed ${one.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    }
  }
  const { verdict, computed } = checked
  return { kind: verdict.kind, line: describeVerdict(one.name, verdict), computed }
}

function store(path: string, computed: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(computed))
}
