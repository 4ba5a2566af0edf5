// a run in files, as Python's wandb writes it with WANDB_MODE=offline; `wandb sync FOLDER` uploads it
import { mkdir, open, rename, rm, symlink, type FileHandle } from 'node:fs/promises'
import { arch, availableParallelism, hostname, release, totalmem, type } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { packageVersion } from '../../files/packageVersion'
import { errorCode, writeError } from '../../files/systemErrors'
import { log } from '../../logging'
import { configurationOf } from '../configuration'
import type { RunEnd, TrackedLog, TrackedRun, TrackedSession } from '../Tracker'
import { type EarlierRun, findEarlierRun, recordsFile } from './earlierRun'
import * as records from './records'
import { partsOf, stepKey } from './rows'
import { namesOf, newRunId, randomText, runsFolder, savedRunId } from './settings'
import { framed, logHeader } from './transactionLog'

/** Files of this process, which it may go on writing; those of another are copied, so that nothing of them is lost. */
const writtenHere = new Set<string>()

/**
 * Begins a run in files, or goes on with one that is there. @throws TrainerError (`file`) when it cannot be written.
 */
export async function openOfflineRun(run: TrackedRun): Promise<TrackedSession> {
  const opened = Date.now()
  const runs = runsFolder()
  const known = savedRunId(run)
  const earlier = known === undefined ? undefined : await findEarlierRun(runs, known, run.step)
  if (known !== undefined && earlier === undefined)
    log('warning', `Weights & Biases: the offline run ${known} is not in ${runs}, so that a new run is begun.`)
  const id = earlier === undefined ? newRunId(run) : known!
  try {
    const { folder, handle } = await openFile(runs, id, earlier)
    run.signal.addEventListener('abort', () => void handle.close().catch(() => undefined), { once: true })
    const session = new OfflineRun(id, opened, handle, earlier)
    await session.begin(run, folder, earlier === undefined)
    await linkLatest(folder)
    log('info', `Weights & Biases: the run is written to ${folder}. Upload it with: wandb sync ${folder}`)
    return session
  } catch (cause) {
    throw writeError(runs, cause)
  }
}

class OfflineRun implements TrackedSession {
  readonly identity: { readonly id: string }
  readonly #handle: FileHandle
  readonly #keys: Set<string>
  readonly #opened: number
  readonly #runtimeBefore: number
  #runtime: number
  #at: number
  #records: number
  #rows: number

  constructor(id: string, opened: number, handle: FileHandle, earlier: EarlierRun | undefined) {
    this.identity = { id }
    this.#opened = opened
    this.#handle = handle
    this.#keys = new Set(earlier?.keys)
    this.#runtime = this.#runtimeBefore = earlier?.runtime ?? 0
    this.#at = earlier?.bytes.length ?? 0
    this.#records = earlier?.records ?? 0
    this.#rows = earlier?.rows ?? 0
  }

  async begin(run: TrackedRun, folder: string, isNew: boolean): Promise<void> {
    const platform = `${process.platform}-${arch()}`
    const names = namesOf(run, this.identity.id)
    const first = isNew
      ? [
          records.headerOf(`ts-trainer ${packageVersion()}`),
          records.runOf(names, hostname(), this.#opened, platform),
          records.environmentOf(environmentIn(folder, this.#opened)),
        ]
      : []
    await this.#write([
      ...first,
      records.configOf(Object.entries(configurationOf(run))),
      records.metricOf(stepKey, undefined, 'itself'),
      records.metricOf('*', stepKey, 'glob'),
    ])
  }

  async log(entries: readonly TrackedLog[]): Promise<void> {
    for (const entry of entries) await this.#log(entry)
  }

  async #log({ logs, step, time }: TrackedLog): Promise<void> {
    const { row, summary } = partsOf(logs, step)
    this.#runtime = this.#runtimeBefore + Math.max(0, time - this.#opened) / 1000
    const whole = { ...row, _timestamp: time / 1000, _runtime: this.#runtime, _step: this.#rows }
    const items = Object.entries(whole).map(([key, value]) => [[key], value] as const)
    const fresh = Object.keys(row).filter(key => key !== stepKey && !this.#keys.has(key))
    for (const key of fresh) this.#keys.add(key)
    await this.#write([
      ...fresh.map(key => records.metricOf(key, stepKey, 'expanded')),
      ...Object.entries(summary).map(entry => records.summaryOf([entry])),
      records.summaryOf(items),
      records.historyOf(items, this.#rows),
    ])
    this.#rows++
  }

  async finish(end: RunEnd): Promise<void> {
    const seconds = Math.round(this.#runtime)
    await this.#write([
      records.summaryOf([
        [['_wandb', 'runtime'], seconds],
        ['_runtime', seconds],
      ]),
      records.exitOf(end === 'failed' ? 1 : 0, seconds),
    ])
    await this.#handle.sync()
    await this.#handle.close()
  }

  async #write(contents: readonly records.Content[]): Promise<void> {
    const parts: Uint8Array[] = this.#at === 0 ? [logHeader] : []
    let at = this.#at === 0 ? logHeader.length : this.#at
    let count = this.#records
    for (const content of contents) {
      const part = framed(records.encodeRecord(++count, content), at)
      parts.push(part)
      at += part.length
    }
    await this.#append(Buffer.concat(parts))
    this.#at = at
    this.#records = count
  }

  /** Where a disk is full, nothing of it stays: the records before it can be read. */
  async #append(bytes: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < bytes.length;)
        written += (await this.#handle.write(bytes, written, bytes.length - written, this.#at + written)).bytesWritten
    } catch (error) {
      await this.#handle.truncate(this.#at).catch(() => undefined)
      throw error
    }
  }
}

/** The run's file, with what stays of an earlier one. */
async function openFile(
  runs: string,
  id: string,
  earlier: EarlierRun | undefined,
): Promise<{ folder: string; handle: FileHandle }> {
  const old = earlier && join(earlier.folder, recordsFile(id))
  if (earlier !== undefined && !earlier.hasLaterRows && writtenHere.has(old!)) {
    const handle = await open(old!, 'r+')
    await handle.truncate(earlier.bytes.length)
    await rm(`${old}.synced`, { force: true }) // `wandb sync` leaves out what it has uploaded
    return { folder: earlier.folder, handle }
  }
  const folder = await makeRunFolder(runs, id)
  const path = join(folder, recordsFile(id))
  const handle = await open(path, 'wx')
  if (earlier !== undefined) await handle.writeFile(earlier.bytes)
  writtenHere.add(path)
  return { folder, handle }
}

/** A folder that is named by the time, to the second: by the next one where another run has it. */
async function makeRunFolder(runs: string, id: string): Promise<string> {
  await mkdir(runs, { recursive: true })
  for (let time = Date.now(); ; time += 1000) {
    const folder = join(runs, `offline-run-${stampOf(new Date(time))}-${id}`)
    try {
      await mkdir(folder)
      await mkdir(join(folder, 'files'))
      return folder
    } catch (cause) {
      if (errorCode(cause) !== 'EEXIST') throw cause
    }
  }
}

/** Local time, as in YYYYMMDD_HHMMSS. */
function stampOf(time: Date): string {
  const parts = [time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()]
  const [month, day, ...clock] = parts.map(part => String(part).padStart(2, '0'))
  return `${time.getFullYear()}${month}${day}_${clock.join('')}`
}

/** Puts `latest-run` at the run, where links can be made. */
async function linkLatest(folder: string): Promise<void> {
  const link = join(dirname(folder), 'latest-run')
  const beside = `${link}.tmp-${process.pid}`
  try {
    await symlink(basename(folder), beside, 'dir')
    await rename(beside, link)
  } catch {
    await rm(beside, { force: true }).catch(() => undefined)
  }
}

function environmentIn(folder: string, started: number): records.Environment {
  return {
    os: `${type()}-${release()}-${arch()}`,
    started,
    program: process.argv[1] ?? '<node without a file>',
    root: dirname(dirname(folder)),
    host: hostname(),
    executable: process.execPath,
    cores: availableParallelism(),
    memory: totalmem(),
    writer: randomText(32),
  }
}
