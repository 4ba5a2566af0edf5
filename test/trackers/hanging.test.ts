// a process whose trackers hang: this file starts it, and test/trackers/hangingRun.ts runs there
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { fakeServer } from './fakeServer'

it.each(['finishes', 'fails'])(
  'a process whose servers never answer ends within 5 seconds of its last step when training %s',
  async how => {
    const { url, requests } = await fakeServer(() => undefined)
    const child = fork(join(import.meta.dirname, 'hangingRun.ts'), [temporaryFolder(), how], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, MLFLOW_TRACKING_URI: url, TRACKIO_SERVER_URL: `${url}?write_token=S3cr3t` },
    })
    const errors: string[] = []
    child.stderr?.on('data', (text: Buffer) => errors.push(String(text)))
    let last = NaN
    child.on('message', () => (last = performance.now()))
    const [code] = (await once(child, 'close')) as [number]
    expect(performance.now() - last).toBeLessThan(5000 + 1000) // the process itself ends in the last second
    expect(errors.join('')).toContain('MLflow has not answered in time')
    expect(errors.join('')).toContain('Trackio has not answered in time')
    expect(errors.join('')).not.toContain('S3cr3t')
    expect(requests.length).toBeGreaterThanOrEqual(2)
    expect(code).toBe(how === 'fails' ? 1 : 0)
  },
)
