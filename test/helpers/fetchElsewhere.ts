// files of a repository are fetched in a process of its own: this file is both, what starts it and what runs there
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openRepository } from '../../src/hub/repository'

const thisFile = fileURLToPath(import.meta.url)

/** Begins to fetch files of a model; the environment says from where, and into which cache. */
export function startFetching(id: string, paths: readonly string[]): ChildProcess {
  const execArgv = ['--import', 'tsx']
  return fork(thisFile, [id, ...paths], { execArgv, env: process.env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}

/** The exit code of a process, and what it wrote as errors. */
export async function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly errors: string }> {
  const errors: string[] = []
  child.stderr?.on('data', (text: Buffer) => errors.push(String(text)))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, errors: errors.join('') }
}

if (process.argv[1] === thisFile) {
  const [id, ...paths] = process.argv.slice(2)
  const repository = await openRepository('model', id!)
  await repository.fetch(paths)
  process.disconnect()
}
