import { appendFile, rename, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { logLine } from '../callbacks/jsonlLog'
import { makeFolder, pathExists } from '../files/paths'
import { readText } from '../files/readFile'
import { writeError } from '../files/systemErrors'
import { writeTexts } from '../files/writeFile'
import type { TrackedLog, TrackedRun, TrackedSession } from './Tracker'
import { TrackerCallback } from './TrackerCallback'

const fileName = 'log.jsonl'

/**
 * Writes the lines of `JsonlLogCallback` to `log.jsonl` in the output folder. A run that resumes goes on in its file, without the
 * lines that were written after the checkpoint; for a new run, a file that is there becomes `log.1.jsonl`, `log.2.jsonl`, …
 */
export class JsonlFileCallback extends TrackerCallback {
  constructor() {
    super({ name: 'The log in JSON Lines', open: async run => JsonlFile.open(run) })
  }
}

class JsonlFile implements TrackedSession {
  readonly identity = { file: fileName }
  readonly #path: string
  readonly #runName: string | undefined
  /** How much of the file is whole lines, in bytes. */
  #length: number

  private constructor(path: string, runName: string | undefined, length: number) {
    this.#path = path
    this.#runName = runName
    this.#length = length
  }

  static async open({ outputDir: folder, name, step, resumed }: TrackedRun): Promise<JsonlFile> {
    const path = join(folder, fileName)
    const kept = resumed === undefined ? await moveAside(folder) : await dropAfter(folder, step)
    return new JsonlFile(path, name, Buffer.byteLength(kept))
  }

  async log(entries: readonly TrackedLog[]): Promise<void> {
    const lines = entries.map(({ logs, step }) => logLine(this.#runName, logs, step)).join('')
    try {
      await appendFile(this.#path, lines)
      this.#length += Buffer.byteLength(lines)
    } catch (cause) {
      await truncate(this.#path, this.#length).catch(() => undefined) // no half line before the next one
      throw writeError(this.#path, cause)
    }
  }

  async finish(): Promise<void> {}
}

/** Gives the file of another run the next free name. @returns what is left of it: nothing. */
async function moveAside(folder: string): Promise<''> {
  const path = join(folder, fileName)
  try {
    await makeFolder(folder)
    if (!(await pathExists(path))) return ''
    for (let count = 1; ; count++) {
      const other = join(folder, `log.${count}.jsonl`)
      if (await pathExists(other)) continue
      await rename(path, other)
      return ''
    }
  } catch (cause) {
    throw writeError(path, cause)
  }
}

/** Takes lines after a step out of the file, and one that was cut off. @returns what is left of it. */
async function dropAfter(folder: string, step: number): Promise<string> {
  const text = (await readText(join(folder, fileName))) ?? ''
  const lines = text.split(/(?<=\n)/)
  const kept = lines.filter(line => stepOf(line) <= step).join('')
  if (kept !== text) await writeTexts(folder, { [fileName]: kept })
  return kept
}

/** The step that a line is of; beyond every step for what is not a whole line. */
function stepOf(line: string): number {
  try {
    return Number((JSON.parse(line.endsWith('\n') ? line : '') as { step?: unknown }).step ?? 0)
  } catch {
    return Infinity
  }
}
