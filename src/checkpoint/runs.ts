import { dirname, resolve } from 'node:path'

import { TrainerError } from '../errors'
import { recoverFolders } from '../files/folder'
import { isJsonObject, type JsonObject } from '../json'
import { log } from '../logging'
import { type Checkpoint, listCheckpoints, named } from './folders'
import { loadTrainerState, missingFromCheckpoint } from './state'

/**
 * Where a run's own numbers lie among the callbacks' states, so that `trainer_state.json` keeps Hugging Face's fields.
 */
export const runKey = 'Trainer'

/** Which run wrote a checkpoint, and in which session: the call of `train()` that began or resumed it. */
export interface RunMark {
  /** The same in all checkpoints of a run, however often it is resumed; undefined in those that Python wrote. */
  readonly id: string | undefined
  /** The time at which the session began, in ms, or what makes it larger than those in the folder; 0 in Python's. */
  readonly session: number
}

/** The checkpoints of one run in a folder. */
export interface Run extends RunMark {
  /** In the order in which they were written: by session, then by step. A run that went back has later ones first. */
  readonly checkpoints: readonly Checkpoint[]
}

/** The runs that have checkpoints in a folder. */
export interface Runs {
  /** The one that was begun or resumed last is the last. All checkpoints without an id are one run's. */
  readonly runs: readonly Run[]
  /** Those that do not say whose they are: their trainer_state.json is missing or broken. */
  readonly unreadable: readonly Checkpoint[]
}

/** A mark as a checkpoint keeps it, among the run's numbers. */
export function markFields({ id, session }: RunMark): { run_id: string | undefined; run_session: number } {
  return { run_id: id, run_session: session }
}

/** Which run wrote a checkpoint; undefined where its trainer_state.json is missing or broken. */
export async function runOf(folder: string): Promise<RunMark | undefined> {
  try {
    return markOf(await loadTrainerState(folder))
  } catch (error) {
    if (error instanceof TrainerError) return undefined
    throw error
  }
}

function markOf({ stateful_callbacks: states }: JsonObject): RunMark {
  const own = isJsonObject(states) ? states[runKey] : undefined
  const numbers = isJsonObject(own) && isJsonObject(own.attributes) ? own.attributes : {}
  const { run_id: id, run_session: session } = numbers
  return { id: typeof id === 'string' ? id : undefined, session: typeof session === 'number' ? session : 0 }
}

/** The runs that have checkpoints in a folder. */
export async function listRuns(outputDir: string): Promise<Runs> {
  const marked: (RunMark & { readonly checkpoint: Checkpoint })[] = []
  const unreadable: Checkpoint[] = []
  for (const checkpoint of await listCheckpoints(outputDir)) {
    const mark = await runOf(checkpoint.path)
    if (mark === undefined) unreadable.push(checkpoint)
    else marked.push({ ...mark, checkpoint })
  }
  const byId = new Map<string | undefined, Run>()
  // a stable sort, of checkpoints that come by step
  for (const { id, session, checkpoint } of marked.sort((a, b) => a.session - b.session))
    byId.set(id, { id, session, checkpoints: [...(byId.get(id)?.checkpoints ?? []), checkpoint] })
  const runs = [...byId.values()].sort((a, b) => a.session - b.session || lastStep(a) - lastStep(b))
  return { runs, unreadable }
}

function lastStep({ checkpoints }: Run): number {
  return checkpoints.at(-1)!.step
}

/** The checkpoints of one run in a folder, the last written last. */
export async function checkpointsOf(outputDir: string, run: RunMark): Promise<readonly Checkpoint[]> {
  return (await listRuns(outputDir)).runs.find(({ id }) => id === run.id)?.checkpoints ?? []
}

/** A checkpoint that cannot be resumed, and the files that it lacks. */
export interface Broken extends Checkpoint {
  readonly missing: readonly string[]
}

/** What `resumeFromCheckpoint: true` finds in a folder. */
export interface Newest {
  /** The last whole checkpoint of the run that was begun or resumed last; undefined if it has none. */
  readonly checkpoint: Checkpoint | undefined
  /** Checkpoints that cannot be resumed: later ones of that run, and those that do not say whose they are. */
  readonly broken: readonly Broken[]
  /** The runs before, the latest last. */
  readonly earlier: readonly Run[]
}

/** Looks for the newest checkpoint. What killed processes left unfinished is completed or removed first. */
export async function newestCheckpoint(outputDir: string): Promise<Newest> {
  await recoverFolders(outputDir)
  return newestAmong(await listRuns(outputDir))
}

/** The newest checkpoint among runs that were found. */
export async function newestAmong({ runs, unreadable }: Runs): Promise<Newest> {
  const later: Broken[] = []
  let checkpoint: Checkpoint | undefined
  for (const one of [...(runs.at(-1)?.checkpoints ?? [])].reverse()) {
    const missing = await missingFromCheckpoint(one.path)
    if (missing.length === 0) {
      checkpoint = one
      break
    }
    later.push({ ...one, missing })
  }
  const unknown = unreadable.map(async one => ({ ...one, missing: await missingFromCheckpoint(one.path) }))
  const broken = [...later, ...(await Promise.all(unknown))].sort((a, b) => a.step - b.step)
  return { checkpoint, broken, earlier: runs.slice(0, -1) }
}

/**
 * The mark of a session that begins in a folder. Where a new run begins among checkpoints of others, a warning says so.
 * @param resumed the checkpoint that it resumes, whose run goes on. One without an id, of Python, goes on without an id
 * in its own folder, so that it keeps house there as before; in another it would take others' for its own.
 */
export async function markSession(outputDir: string, resumed: string | undefined): Promise<RunMark> {
  await recoverFolders(outputDir)
  const found = await listRuns(outputDir)
  const before = resumed === undefined ? undefined : await runOf(resumed)
  // a clock that was set back must not make this session an earlier one
  const session = Math.max(Date.now(), ...[...found.runs, ...(before ? [before] : [])].map(run => run.session + 1))
  if (resumed === undefined) await warnOfOthers(outputDir, found)
  const isHere = resumed !== undefined && dirname(resolve(resumed)) === resolve(outputDir)
  return { id: before?.id ?? (isHere ? undefined : crypto.randomUUID()), session }
}

async function warnOfOthers(outputDir: string, found: Runs): Promise<void> {
  const { runs, unreadable } = found
  const others = [...runs.flatMap(({ checkpoints }) => checkpoints), ...unreadable].sort((a, b) => a.step - b.step)
  if (others.length === 0) return
  const { checkpoint } = await newestAmong(found)
  const whose = runs.length > 1 ? 'other runs' : 'another run'
  const goOn = checkpoint === undefined ? '' : 'go on with train({ resumeFromCheckpoint: true }), '
  log(
    'warning',
    `A new run begins in ${outputDir}, which has checkpoints of ${whose}: ${named(others)}. saveTotalLimit neither ` +
      'counts nor removes them, but one of the same step is replaced, and once this run has written a checkpoint, ' +
      `resumeFromCheckpoint: true takes that. If this is not what you want, ${goOn}choose another outputDir, or ` +
      'remove them.',
  )
}
