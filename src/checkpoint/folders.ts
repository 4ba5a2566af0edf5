import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { errorCode } from '../files/systemErrors'

/** A folder `checkpoint-<step>`. */
export interface Checkpoint {
  readonly step: number
  readonly path: string
}

/** The name of the checkpoint made after `step` updates. */
export function checkpointName(step: number): string {
  return `checkpoint-${step}`
}

/** Where the checkpoint made after `step` updates lies. */
export function checkpointPath(outputDir: string, step: number): string {
  return `${outputDir.replace(/\/$/, '')}/${checkpointName(step)}`
}

/** The step of a name `checkpoint-<digits>`, undefined for any other name. */
export function checkpointStep(name: string): number | undefined {
  const match = /^checkpoint-(\d+)$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** The checkpoints in a folder, of whichever run, whole or not, by step; empty when there is no such folder. */
export async function listCheckpoints(outputDir: string): Promise<Checkpoint[]> {
  const entries = await readdir(outputDir, { withFileTypes: true }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return []
    throw error
  })
  return entries
    .filter(entry => entry.isDirectory())
    .flatMap(({ name }) => {
      const step = checkpointStep(name)
      return step === undefined ? [] : [{ step, path: join(outputDir, name) }]
    })
    .sort((a, b) => a.step - b.step)
}

/** Names of checkpoints in a message: the first of many, and how many more. */
export function named(checkpoints: readonly Checkpoint[]): string {
  const names = checkpoints.slice(0, mostNames).map(({ step }) => checkpointName(step))
  const more = checkpoints.length - names.length
  return more === 0 ? names.join(', ') : `${names.join(', ')} and ${more} more`
}

const mostNames = 10
