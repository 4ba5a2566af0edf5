// what the environment says of Weights & Biases, by the names that Python's wandb reads
import { randomInt } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { nearest, TrainerError } from '../../errors'
import { isOn, variable } from '../environment'
import { serverAddress } from '../Service'
import type { TrackedRun } from '../Tracker'
import type { RunNames } from './records'

/** Where a run goes: to a server, into files, nowhere. */
export type WandbMode = 'online' | 'offline' | 'disabled'

const modes: Readonly<Record<string, WandbMode>> = {
  ...{ online: 'online', run: 'online', shared: 'online' },
  ...{ offline: 'offline', dryrun: 'offline', disabled: 'disabled' },
}

/** Whether WANDB_MODE asks for files. */
export function isOfflineAskedFor(): boolean {
  return modes[variable('WANDB_MODE') ?? 'online'] === 'offline'
}

/** WANDB_MODE. @throws TrainerError (`argument`) for a value that it does not have. */
export function wandbMode(): WandbMode {
  const given = variable('WANDB_MODE')
  if (given === undefined) return 'online'
  const mode = Object.hasOwn(modes, given) ? modes[given] : undefined
  if (mode !== undefined) return mode
  const near = nearest(given, Object.keys(modes))
  throw new TrainerError('argument', `WANDB_MODE should be online, offline or disabled, but is '${given}'.`, {
    fix: near === undefined ? 'Leave it out for online.' : `Did you mean '${near}'?`,
  })
}

/**
 * Whether WANDB_DISABLED asks for no reports: neither transformers nor wandb reads it today, but who set it meant it.
 */
export function isDisabled(): boolean {
  return isOn('WANDB_DISABLED')
}

/** What is asked for and not done here, a sentence each. */
export function refusals(mode: WandbMode): string[] {
  const model = variable('WANDB_LOG_MODEL')?.toLowerCase() ?? 'false'
  const watched = variable('WANDB_WATCH')?.toLowerCase() ?? 'false'
  const refused: string[] = []
  if (model === 'end' || model === 'checkpoint')
    refused.push(`WANDB_LOG_MODEL=${model} is refused: models are not uploaded as artifacts of Weights & Biases.`)
  else if (model !== 'false')
    refused.push(`WANDB_LOG_MODEL should be end, checkpoint or false, but is '${model}'. It is taken for false.`)
  if (['gradients', 'parameters', 'all'].includes(watched))
    refused.push(`WANDB_WATCH=${watched} is refused: gradients and parameters are not sent to Weights & Biases.`)
  const unsent = ['WANDB_TAGS', 'WANDB_NOTES', 'WANDB_RUN_GROUP', 'WANDB_JOB_TYPE'].filter(
    name => variable(name) !== undefined,
  )
  if (mode === 'online' && unsent.length > 0)
    refused.push(`${unsent.join(', ')}: not sent, since @wandb/sdk has no such option. WANDB_MODE=offline writes them.`)
  return refused
}

/** What a run is called: what the environment leaves open, the arguments say. */
export function namesOf(run: TrackedRun, id: string): RunNames {
  return {
    id,
    project: variable('WANDB_PROJECT') ?? run.project,
    name: run.name ?? variable('WANDB_NAME'),
    entity: variable('WANDB_ENTITY'),
    group: variable('WANDB_RUN_GROUP') ?? groupOf(run),
    jobType: variable('WANDB_JOB_TYPE'),
    notes: variable('WANDB_NOTES'),
    tags: (variable('WANDB_TAGS') ?? '').split(',').filter(tag => tag !== ''),
  }
}

/** The trials of a search stand together, each of which has a folder in that of the search. */
function groupOf({ trial, args, outputDir }: TrackedRun): string | undefined {
  const name = args['run_name']
  return trial === undefined ? undefined : typeof name === 'string' ? name : dirname(outputDir)
}

/** The id that a checkpoint names, if any; one that was written before the run was open names its mark. */
export function savedRunId({ resumed }: TrackedRun): string | undefined {
  const mark = resumed?.['mark']
  const id = resumed?.['id'] ?? (mark === undefined ? undefined : (variable('WANDB_RUN_ID') ?? idOfMark(mark)))
  return id !== undefined && isRunId(id) ? id : undefined
}

/**
 * The id of a new run: WANDB_RUN_ID, or eight random letters and digits.
 * @throws TrainerError (`argument`) where it cannot be one.
 */
export function newRunId({ mark, resumed }: TrackedRun): string {
  const given = variable('WANDB_RUN_ID')
  // a run that is begun anew has the mark of the one that is not there
  if (given === undefined) return resumed === undefined ? idOfMark(mark) : randomText(8)
  if (isRunId(given)) return given
  throw new TrainerError(
    'argument',
    `WANDB_RUN_ID should be letters, digits, dots, dashes and underscores, but is '${given}'.`,
  )
}

function idOfMark(mark: string): string {
  return mark.slice(0, 8)
}

/** Whether a run of the id that WANDB_RUN_ID gives is gone on with, and not written over. */
export function isResumeAskedFor(): boolean {
  return variable('WANDB_RUN_ID') !== undefined && ['allow', 'must', 'auto'].includes(variable('WANDB_RESUME') ?? '')
}

/** Whether a text may be a run's id, which is part of the names of files and of addresses. */
export function isRunId(text: string): boolean {
  return /^[\w-][\w.-]{0,127}$/.test(text)
}

export function randomText(length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('')
}

/** The folder of runs: `wandb` in WANDB_DIR, or in the working directory. */
export function runsFolder(): string {
  return join(resolve(variable('WANDB_DIR') ?? '.'), 'wandb')
}

/** The server, where it is not W&B's own. @throws TrainerError (`argument`) for what is no address. */
export function serverUrl(): string | undefined {
  const given = variable('WANDB_BASE_URL')
  return given === undefined ? undefined : serverAddress(given, 'WANDB_BASE_URL').url
}
