// servers of Python on the loopback address, for as long as a check takes
import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** How long a server may take to begin, in milliseconds. */
const patience = 120_000

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A server that has been started. */
export interface Started {
  readonly url: string
  stop(): void
}

/**
 * Starts a server, and waits until it answers.
 * @param words what Python is given, by the port.
 * @param work where its output goes, in NAME.log.
 * @throws Error when it has not answered after two minutes.
 */
export async function startServer(
  python: string,
  name: string,
  words: (port: number) => readonly string[],
  work: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const port = await freePort()
  const output = openSync(join(work, `${name}.log`), 'a')
  const child = spawn(python, words(port), {
    cwd: work,
    detached: true, // with its own children: they are stopped together
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  })
  const url = `http://127.0.0.1:${port}`
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
  }
  const end = performance.now() + patience
  while (performance.now() < end && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer !== undefined) return { url, stop }
    await new Promise(resolve => setTimeout(resolve, 300))
  }
  stop()
  throw new Error(`${name} does not answer at ${url}: see ${join(work, `${name}.log`)}. ${python} needs the package.`)
}
