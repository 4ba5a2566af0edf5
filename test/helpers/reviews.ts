// a model with random weights, and files of rows to train it on by `ts-trainer train`
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, vi } from 'vitest'
import { smallModel } from './classifier'
import { runCli } from './runCli'
import { temporaryFolder } from './temporaryFolder'

/** The model's folder, and that of a test. */
export const place = { model: '', folder: '' }

/** To be called by a file of tests. */
export function useReviews(): void {
  beforeAll(async () => {
    place.model = join(temporaryFolder(), 'model')
    await smallModel().savePretrained(place.model)
    cpSync(join(import.meta.dirname, '../../examples/data/tokenizer'), place.model, { recursive: true })
  })
  beforeEach(() => {
    place.folder = temporaryFolder()
  })
}

/** 40 reviews: good ones of 5 stars, bad ones of 1. */
export const reviews = Array.from({ length: 40 }, (_, row) => [
  row % 2 === 0 ? `a good film, number ${row}` : `a bad meal, and never again number ${row}`,
  row % 2 === 0 ? '5' : '1',
])

/** A CSV file. */
export function write(name: string, rows: readonly (readonly unknown[])[], header = 'review,stars'): string {
  const path = join(place.folder, name)
  const cell = (value: unknown): string => (String(value).includes(',') ? `"${String(value)}"` : String(value))
  writeFileSync(path, [header, ...rows.map(row => row.map(cell).join(','))].join('\n'))
  return path
}

/** JSON Lines. */
export function writeLines(name: string, rows: readonly object[]): string {
  const path = join(place.folder, name)
  writeFileSync(path, rows.map(row => JSON.stringify(row)).join('\n'))
  return path
}

/** Two updates on rows; what was said, and the results. */
export async function train(
  ...words: string[]
): Promise<{ status: number; out: string; error: string; result: Record<string, unknown> }> {
  const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const more = ['--model', place.model, '--output_dir', join(place.folder, 'out'), '--max_steps', '2']
    const ran = await runCli(['train', ...words, ...more, '--ignore_mismatched_sizes'])
    if (ran.status !== 0 && !ran.error.startsWith('ts-trainer: ')) throw new Error(ran.error)
    return { ...ran, result: ran.status === 0 ? (JSON.parse(ran.out) as Record<string, unknown>) : {} }
  } finally {
    quiet.mockRestore()
  }
}
