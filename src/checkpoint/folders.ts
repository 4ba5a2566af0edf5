import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { checkpointName, checkpointStep } from '../files/checkpointNames'
import { errorCode } from '../files/systemErrors'

/** A folder `checkpoint-<step>`. */
export interface Checkpoint {
  readonly step: number
  readonly path: string
}

/** Where the checkpoint made after `step` updates lies. */
export function checkpointPath(outputDir: string, step: number): string {
  return `${outputDir.replace(/\/$/, '')}/${checkpointName(step)}`
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
