import { appendFile, truncate } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { writeError } from '../files/systemErrors'
import { trackedLogs } from './logKeys'
import { runDirectory } from './tensorboard/directory'
import { restartEvent, summaryEvent, versionEvent } from './tensorboard/events'
import { record } from './tensorboard/records'
import type { TrackedLog, TrackedRun, TrackedSession } from './Tracker'
import { TrackerCallback } from './TrackerCallback'

/**
 * Writes event files that TensorBoard shows: scalars and texts by step, the arguments and the model's config as texts. They
 * lie in TENSORBOARD_LOGGING_DIR, or in `runs/<time>_<host>` of the output folder, as in Hugging Face; after every log they are
 * up to date. Values that are neither numbers nor texts are left out, with a warning.
 *
 * A run that resumes writes a further file into the same directory, and what the first one had reported after the checkpoint's
 * step is not shown again.
 */
export class TensorBoardCallback extends TrackerCallback {
  constructor() {
    super({ name: 'TensorBoard', open: async run => EventFile.open(run) })
  }
}

/** Tells the files apart that one process writes. */
let files = 0

class EventFile implements TrackedSession {
  readonly identity: TrackedSession['identity']
  readonly #path: string
  /** How much of the file is whole records. */
  #length = 0

  private constructor(path: string, identity: TrackedSession['identity']) {
    this.#path = path
    this.identity = identity
  }

  static async open(run: TrackedRun): Promise<EventFile> {
    const { path, identity } = await runDirectory(run)
    const time = Date.now()
    const seconds = String(Math.floor(time / 1000)).padStart(10, '0')
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}`
    const file = new EventFile(join(path, name), identity)
    const isNew = run.resumed === undefined
    // the checkpoint's own step stands: what a run logs of a step comes before it is saved
    const from = isNew || run.step === 0 ? 0 : run.step + 1
    await file.#write([
      versionEvent(from, time),
      ...(isNew ? [] : [restartEvent(from, time)]),
      ...(from === 0 ? [summaryEvent(descriptions(run), 0, time)] : []),
    ])
    return file
  }

  async log(entries: readonly TrackedLog[]): Promise<void> {
    const events = entries.map(({ logs, step, time }) =>
      summaryEvent(trackedLogs(logs, 'TensorBoard', ['number', 'string']), step, time),
    )
    await this.#write(events)
  }

  async finish(): Promise<void> {}

  async #write(events: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(events.map(record))
    try {
      await appendFile(this.#path, bytes)
      this.#length += bytes.length
    } catch (cause) {
      await truncate(this.#path, this.#length).catch(() => undefined) // readers do not come past half a record
      throw writeError(this.#path, cause)
    }
  }
}

/** The texts that a run begins with. Four blanks make code of a line, which Markdown would make a paragraph of. */
function descriptions({ args, modelConfig }: TrackedRun): Readonly<Record<string, string>> {
  const code = (value: object): string => JSON.stringify(value, undefined, 2).replaceAll(/^/gm, '    ')
  return { args: code(args), ...(Object.keys(modelConfig).length > 0 && { model_config: code(modelConfig) }) }
}
