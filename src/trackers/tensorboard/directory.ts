// run → the directory that its event files lie in
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expandHome, makeFolder } from '../../files/paths'
import { errorCode, writeError } from '../../files/systemErrors'
import { variable } from '../environment'
import type { RunIdentity, TrackedRun } from '../Tracker'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * Makes the directory of a run: TENSORBOARD_LOGGING_DIR (in it, one for each trial of a search), or `runs/<time>_<host>` in the
 * output folder, which is that of the run that is continued.
 * @throws TrainerError (`file`) when it cannot be made.
 */
export async function runDirectory(
  run: TrackedRun,
): Promise<{ readonly path: string; readonly identity: RunIdentity }> {
  const wished = variable('TENSORBOARD_LOGGING_DIR')
  const path = wished !== undefined ? join(expandHome(wished), run.trial ?? '') : undefined
  const known = path === undefined ? nameIn(run.resumed) : undefined
  const runs = join(run.outputDir, 'runs')
  try {
    await makeFolder(path ?? runs)
    if (path !== undefined) return { path, identity: {} }
    if (known !== undefined) await makeFolder(join(runs, known))
    const name = known ?? (await newFolder(runs, nameNow()))
    return { path: join(runs, name), identity: { directory: `runs/${name}` } }
  } catch (cause) {
    throw writeError(path ?? runs, cause)
  }
}

/** The folder of `runs` that an identity names: a name alone, whatever a checkpoint says. */
function nameIn(resumed: RunIdentity | undefined): string | undefined {
  return /^runs\/([\w-][\w.-]*)$/.exec(resumed?.['directory'] ?? '')?.[1]
}

/** transformers' name of a run: `Nov28_11-30-05_host`. */
function nameNow(): string {
  const now = new Date()
  const two = (number: number): string => String(number).padStart(2, '0')
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('-')
  return `${months[now.getMonth()]}${two(now.getDate())}_${time}_${hostname().replaceAll(/[^\w.-]/g, '-')}`
}

/** Makes a folder that was not there: runs that begin in the same second have one each. */
async function newFolder(parent: string, name: string): Promise<string> {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}-${count}`
    try {
      await mkdir(join(parent, candidate))
      return candidate
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  }
}
