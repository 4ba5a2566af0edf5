import type { LogEntry } from '../callbacks/TrainerState'
import { writeFileWhole } from '../files/writeFile'
import { checkWritable } from '../files/folder'
import { readJson } from '../files/json'
import { formatJson, isJsonObject } from '../json'

/**
 * Writes metrics into `<folder>/<split>_results.json` and, with `combined`, adds them to `<folder>/all_results.json`:
 * keys sorted, as numbers.
 */
export async function saveResults(folder: string, split: string, metrics: LogEntry, combined: boolean): Promise<void> {
  await checkWritable(folder)
  await writeResults(`${folder}/${split}_results.json`, metrics)
  if (!combined) return
  const path = `${folder}/all_results.json`
  const before = await readJson(path)
  await writeResults(path, { ...(isJsonObject(before) ? before : {}), ...metrics })
}

async function writeResults(path: string, metrics: object): Promise<void> {
  await writeFileWhole(path, new TextEncoder().encode(formatJson(metrics, { sorted: true, indent: 4 })))
}
