import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

import { errorCode } from '../files/systemErrors'
import { recoverFolders, removeFolder } from '../files/folder'
import { missingFromCheckpoint } from './state'

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

/** The checkpoints in a folder, whole or not, by step; empty when there is no such folder. */
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

/**
 * The whole checkpoint of the largest step: what `resumeFromCheckpoint: true` takes. What killed processes left
 * unfinished is completed or removed first.
 * @returns undefined when there is none.
 */
export async function newestCheckpoint(outputDir: string): Promise<Checkpoint | undefined> {
  await recoverFolders(outputDir)
  for (const checkpoint of (await listCheckpoints(outputDir)).reverse()) {
    if ((await missingFromCheckpoint(checkpoint.path)).length === 0) return checkpoint
  }
  return undefined
}

/** Which checkpoints stay. */
export interface RotationOptions {
  /** `saveTotalLimit`: how many may stay; all if undefined or below 1. */
  readonly limit: number | undefined
  /** The step of the checkpoint just written, which stays; the largest step by default. */
  readonly newest?: number | undefined
  /** The step of the best checkpoint, which stays. */
  readonly best?: number | undefined
  /** Training has ended: with a limit of 1 only the best stays. */
  readonly atEnd?: boolean | undefined
}

/**
 * The steps of the checkpoints to remove, by Hugging Face's rule, with age by steps instead of clocks: at most `limit`
 * stay, but always the newest and the best; the oldest are removed first.
 */
export function checkpointsToRemove(
  steps: readonly number[],
  { limit, newest, best, atEnd = false }: RotationOptions,
): number[] {
  if (limit === undefined || limit < 1) return []
  const sorted = [...steps].sort((a, b) => a - b)
  if (atEnd)
    return limit === 1 && best !== undefined && sorted.includes(best) ? sorted.filter(step => step !== best) : []
  const kept = new Set([newest ?? sorted.at(-1), best].filter(step => step !== undefined && sorted.includes(step)))
  const count = sorted.length - Math.max(limit, kept.size)
  return sorted.filter(step => !kept.has(step)).slice(0, Math.max(0, count))
}

/**
 * Removes the checkpoints beyond the limit.
 * @param options as for `checkpointsToRemove`, but `best` is the path of the best checkpoint; a path in another folder
 * protects nothing here.
 * @returns the paths that were removed.
 */
export async function rotateCheckpoints(
  outputDir: string,
  options: Omit<RotationOptions, 'best'> & { readonly best?: string | undefined },
): Promise<string[]> {
  const { best, ...rest } = options
  const checkpoints = await listCheckpoints(outputDir)
  const bestStep = checkpoints.find(({ path }) => best !== undefined && resolve(path) === resolve(best))?.step
  const steps = checkpointsToRemove(
    checkpoints.map(({ step }) => step),
    { ...rest, best: bestStep },
  )
  const paths = checkpoints
    .filter(({ path }) => steps.includes(checkpointStep(basename(path))!))
    .map(({ path }) => path)
  for (const path of paths) await removeFolder(path)
  return paths
}
