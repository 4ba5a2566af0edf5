import { resolve } from 'node:path'

import { removeFolder } from '../files/folder'
import { checkpointsOf, type RunMark } from './runs'

/** Which checkpoints stay. */
export interface RotationOptions {
  /** `saveTotalLimit`: how many may stay; all if undefined or below 1. */
  readonly limit: number | undefined
  /** The step of the checkpoint just written, which stays; the last one by default. */
  readonly newest?: number | undefined
  /** The step of the best checkpoint, which stays. */
  readonly best?: number | undefined
  /** Training has ended: with a limit of 1 only the best stays. */
  readonly atEnd?: boolean | undefined
}

/**
 * The steps of the checkpoints to remove, by Hugging Face's rule, with age by order instead of clocks: at most `limit`
 * stay, but always the newest and the best; the oldest are removed first.
 * @param steps the oldest first.
 */
export function checkpointsToRemove(
  steps: readonly number[],
  { limit, newest, best, atEnd = false }: RotationOptions,
): number[] {
  if (limit === undefined || limit < 1) return []
  if (atEnd) return limit === 1 && best !== undefined && steps.includes(best) ? steps.filter(step => step !== best) : []
  const kept = new Set([newest ?? steps.at(-1), best].filter(step => step !== undefined && steps.includes(step)))
  const count = steps.length - Math.max(limit, kept.size)
  return steps.filter(step => !kept.has(step)).slice(0, Math.max(0, count))
}

/**
 * Removes a run's checkpoints beyond the limit. Those of other runs in the folder neither count nor go.
 * @param options as for `checkpointsToRemove`, but `best` is the path of the best checkpoint; a path in another folder
 * protects nothing here.
 * @returns the paths that were removed.
 */
export async function rotateCheckpoints(
  outputDir: string,
  run: RunMark,
  options: Omit<RotationOptions, 'best'> & { readonly best?: string | undefined },
): Promise<string[]> {
  const { best, ...rest } = options
  if (rest.limit === undefined || rest.limit < 1) return []
  const checkpoints = await checkpointsOf(outputDir, run)
  const bestStep = checkpoints.find(({ path }) => best !== undefined && resolve(path) === resolve(best))?.step
  const steps = checkpointsToRemove(
    checkpoints.map(({ step }) => step),
    { ...rest, best: bestStep },
  )
  const paths = checkpoints.flatMap(({ step, path }) => (steps.includes(step) ? [path] : []))
  for (const path of paths) await removeFolder(path)
  return paths
}
