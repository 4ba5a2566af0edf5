import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { runCommand } from '../../src/cli/commands'

const root = join(import.meta.dirname, '../..')

async function run(...words: string[]): Promise<{ status: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const status = await runCommand(words, { out: text => out.push(text), error: text => error.push(text) })
  return { status, out: out.join('\n'), error: error.join('\n') }
}

describe('ts-trainer', () => {
  it('prints what training runs on', async () => {
    const { status, out } = await run('doctor')
    expect(status).toBe(0)
    expect(out).toMatch(/^ONNX Runtime +1\.\d+\.\d+ from [^]+onnxruntime/m)
    expect(out).toMatch(/cpu: works/)
    const { status: same, out: json } = await run('doctor', '--json')
    expect(same).toBe(0)
    expect(JSON.parse(json)).toMatchObject({
      node: process.version,
      providers: expect.arrayContaining([{ name: 'cpu', works: true, missing: [], fixes: [] }]),
    })
  })

  it('returns status 1 without a library, and names the places it looked at', async () => {
    vi.stubEnv('ONNXRUNTIME_LIBRARY', '/nowhere/libonnxruntime.so')
    const { status, out } = await run('doctor')
    vi.unstubAllEnvs()
    expect(status).toBe(1)
    expect(out.replace(/\s+/g, ' ')).toContain('Looked at: /nowhere/libonnxruntime.so')
  })

  it('prints its version and its commands', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    for (const word of ['--version', '-v', 'version'])
      expect(await run(word)).toEqual({ status: 0, out: version, error: '' })
    for (const words of [['--help'], ['-h'], ['help'], []])
      expect((await run(...words)).out).toMatch(/^Usage: ts-trainer COMMAND\n[^]*^ {2}doctor /m)
    expect((await run('--help')).out.split('\n').every(line => line.length < 80)).toBe(true)
  })

  it('refuses other words with the nearest, without a stack', async () => {
    expect(await run('docter')).toEqual({
      status: 2,
      out: '',
      error: "ts-trainer: There is no command 'docter'. Did you mean 'doctor'?",
    })
    expect((await run('--verison')).error).toContain("Did you mean '--version'?")
    expect((await run('xyzzyxyzzy')).error).toMatch(
      /^ts-trainer: There is no command 'xyzzyxyzzy'\. The commands are train, .*doctor, .*help, version\.$/,
    )
    expect((await run('toString')).status).toBe(2)
    expect((await run('doctor', '--jsn')).error).toBe("ts-trainer: doctor does not take '--jsn'. Did you mean --json?")
  })

  it('shows the stack with DEBUG', async () => {
    vi.stubEnv('DEBUG', '1')
    const { error } = await run('docter')
    vi.unstubAllEnvs()
    expect(error).toMatch(/TrainerError: There is no command[^]*\n +at /)
  })

  it('runs as a program, with its output, errors and status', async () => {
    const program = (...words: string[]): Promise<{ stdout: string; stderr: string }> =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', join(root, 'src/cli/main.ts'), ...words], { cwd: root })
    expect((await program('version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    await expect(program('docter')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^ts-trainer: There is no command 'docter'\. Did you mean 'doctor'\?\n$/),
    })
  })

  it('ends quietly where nobody reads its output any more', async () => {
    const command = `"${process.execPath}" --import tsx src/cli/main.ts train --help`
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      ['-c', `${command} | true; echo "\${PIPESTATUS[0]}"`],
      { cwd: root },
    )
    expect({ stdout, stderr }).toEqual({ stdout: '141\n', stderr: '' })
  })

  it.runIf(process.platform === 'linux')('says that its output cannot be written', async () => {
    const command = `"${process.execPath}" --import tsx src/cli/main.ts version > /dev/full`
    await expect(promisify(execFile)('bash', ['-c', command], { cwd: root })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^ts-trainer: standard output cannot be written: .*ENOSPC.*\n$/),
    })
  })
})
