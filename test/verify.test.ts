import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { hasPython, pressAgainAndAgain, type Pressed, pressOnce, trainWhole } from '../scripts/verify/ctrlC'
import { temporaryFolder } from './helpers/temporaryFolder'

const root = join(import.meta.dirname, '..')
const verify = (...given: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/verify.ts', ...given], { cwd: root })

it('a press of Ctrl-C in a terminal, under npx tsx, leaves a checkpoint from which the run ends bit for bit the same', async context => {
  if (process.platform === 'win32' || !(await hasPython())) {
    console.log('skipped: a pseudo-terminal is opened by python3, which is not here.')
    return context.skip()
  }
  const folder = temporaryFolder()
  const whole = await trainWhole(join(folder, 'whole'))
  const way = { start: 'npx tsx own.ts', press: 'Ctrl-C' } as const
  const { ended, checkpoints, ...result } = await pressOnce(
    join(folder, 'pressed'),
    way,
    { update: 7, seconds: 0.02 },
    whole,
  )
  expect(ended).toMatch(/^stopped at step \d+/)
  expect(checkpoints).toContain(`checkpoint-${/\d+/.exec(ended)![0]}`)
  expect(result).toEqual({ hasCheckpoint: true, resumed: 'bit-identical' })
})

it('a press that goes wrong is counted and keeps its folder, and the presses go on', async () => {
  const folder = temporaryFolder()
  const lines: string[] = []
  const none = { ended: 'ended without a word', checkpoints: [], hasCheckpoint: false, resumed: 'NOT AT ALL' } as const
  const good = {
    ended: 'stopped',
    checkpoints: ['checkpoint-1'],
    hasCheckpoint: true,
    resumed: 'bit-identical',
  } as const
  const press = async (place: string): Promise<Pressed> => {
    mkdirSync(place)
    return place.endsWith('press-1') ? none : good
  }
  expect(await pressAgainAndAgain(folder, 2, 1, line => void lines.push(line), press)).toBe(false)
  expect(lines).toContain(`  kept for you to see: ${join(folder, 'press-1')}`)
  expect(lines.at(-1)).toBe('2 presses, 1 checkpoints, 1 resumed bit-identical')
  expect(readdirSync(folder)).toEqual(['press-1'])
})

it('npm run verify lists its checks, and refuses an unknown one with the nearest', async () => {
  expect((await verify()).stdout).toMatch(
    /^ctrl-c \[--presses N \(20\)\].*\n {2}Stops a training run.*\n {2}Needs .*python3/m,
  )
  await expect(verify('ctrlc')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no check "ctrlc". Did you mean ctrl-c?') as string,
  })
  await expect(verify('ctrl-c', '--press', '3')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Unknown option '--press'/m) as string,
  })
})
