import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../../src/cli/commands'
import { cudaFolder } from '../../src/engine/cuda'
import { cudaBuilds } from '../../src/engine/cudaWheels'
import { openvinoFolder, openvinoLibrary, openvinoWheels } from '../../src/engine/openvino'
import { temporaryFolder } from '../helpers/temporaryFolder'

let cache: string

beforeEach(() => {
  cache = temporaryFolder()
  vi.stubEnv('TS_TRAINER_CACHE', cache)
  vi.stubEnv('TS_TRAINER_OPENVINO', '')
})

afterEach(() => vi.unstubAllEnvs())

async function run(...words: string[]): Promise<{ status: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const status = await runCommand(words, { out: text => out.push(text), error: text => error.push(text) })
  return { status, out: out.join('\n'), error: error.join('\n') }
}

function installPretended(): void {
  mkdirSync(openvinoFolder())
  for (const member of openvinoWheels['linux x64']!.members)
    writeFileSync(join(openvinoFolder(), basename(member)), 'License: MIT\n')
}

describe('ts-trainer install', () => {
  it('prints its usage, and refuses other words', async () => {
    const { status, out } = await run('install', '--help')
    expect(status).toBe(0)
    expect(out).toMatch(/^Usage: npx ts-trainer install cuda\|openvino /)
    expect(out.split('\n').every(line => line.length <= 80)).toBe(true)
    const cases: [string[], string][] = [
      [[], 'install needs the name of what to install: cuda or openvino.'],
      [['tensorrt'], "install does not know 'tensorrt'; it knows cuda or openvino."],
      [['opnvino'], "install does not know 'opnvino'; it knows cuda or openvino. Did you mean 'openvino'?"],
      [['openvino', 'cuda'], "install does not take 'cuda'. Did you mean --cuda?"],
      [['openvino', '--indexurl', 'a'], "install does not take '--indexurl'. Did you mean --index-url?"],
      [['cuda', '--cuda', '11'], "--cuda should be 12, 13, but is '11'. Did you mean '12'?"],
      [['openvino', '--wheel', 'a', '--index-url=b'], 'openvino was given --wheel and --index-url. Leave one'],
      [['cuda', '--wheel', 'a'], 'install cuda has no --wheel. Leave it out.'],
      [['openvino', '--cuda', '12'], 'install openvino has no --cuda. Leave it out.'],
      [['cuda', '--wheels', 'a', '--index-url=b'], 'cuda was given --wheels and --index-url. Leave one'],
    ]
    for (const [words, message] of cases) {
      const { status: code, out: printed, error } = await run('install', ...words)
      expect({ words, code, printed }).toEqual({ words, code: 2, printed: '' })
      expect(error).toContain(message)
    }
  })

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'prints the files, their sizes and licences',
    async () => {
      installPretended()
      const { status, out } = await run('install', 'openvino')
      expect(status).toBe(0)
      expect(out).toMatch(/^OpenVINO's plug-in 1\.8\.1 for ONNX Runtime is installed already: 5 files, 0\.0 MB, in\n/)
      expect(out).toContain(`\n${openvinoFolder()}\n   0.0 MB  libonnxruntime_providers_openvino_plugin.so\n`)
      expect(out).toMatch(/Intel Corporation: MIT \(METADATA\)\n- OpenVINO: Apache 2\.0/)
    },
  )

  it.runIf(process.platform === 'linux' && process.arch === 'x64')('prints the same of CUDA', async () => {
    const build = cudaBuilds['12']
    for (const { project, members } of build.wheels) {
      for (const member of members) {
        const inside = member.includes('.so') ? '' : `licenses/${project}`
        mkdirSync(join(cudaFolder(build), inside), { recursive: true })
        writeFileSync(join(cudaFolder(build), inside, basename(member)), 'something')
      }
    }
    const { status, out } = await run('install', 'cuda', '--cuda', '12')
    expect(status).toBe(0)
    expect(out).toMatch(/^ONNX Runtime 1\.26\.0 with CUDA 12 is installed already: 19 files, 0\.0 MB, in\n/)
    expect(out).toContain(`\n${cudaFolder(build)}\n   0.0 MB  libonnxruntime.so.1.26.0\n`)
    expect(out).toMatch(/Microsoft Corporation: MIT\n- .+NVIDIA Corporation: NVIDIA's own terms\n/)
  })

  it.runIf(process.platform === 'linux' && process.arch === 'x64')('refuses another wheel', async () => {
    writeFileSync(join(cache, 'a.whl'), 'something')
    expect((await run('install', 'openvino', '--wheel', join(cache, 'a.whl'))).error).toContain(
      'is not the expected wheel',
    )
  })

  it('names the platforms without one', async () => {
    const before = process.platform
    for (const [platform, fix] of [
      ['darwin', 'float32'],
      ['win32', 'pip install onnxruntime-ep-openvino==1.8.1'],
    ] as const) {
      Object.defineProperty(process, 'platform', { value: platform })
      const { error } = await run('install', 'openvino').finally(() =>
        Object.defineProperty(process, 'platform', { value: before }),
      )
      expect(error).toContain(`is installed on linux x64; this is ${platform} `)
      if (process.arch === 'x64') expect(error).toContain(fix)
    }
  })
})

describe("OpenVINO's plug-in", () => {
  it('is in the cache, or at TS_TRAINER_OPENVINO', () => {
    expect(openvinoFolder()).toBe(join(cache, 'openvino-1.8.1'))
    expect(openvinoLibrary()).toBeUndefined()
    installPretended()
    if (process.platform !== 'win32')
      expect(openvinoLibrary()).toBe(join(openvinoFolder(), 'libonnxruntime_providers_openvino_plugin.so'))
    vi.stubEnv('TS_TRAINER_OPENVINO', cache)
    expect(openvinoLibrary()).toMatch(/onnxruntime_providers_openvino_plugin\.(so|dll)$/)
    vi.stubEnv('TS_TRAINER_OPENVINO', join(cache, 'my.so'))
    expect(openvinoLibrary()).toBe(join(cache, 'my.so'))
  })

  it.runIf(process.platform === 'linux')("follows XDG's rules", () => {
    vi.stubEnv('TS_TRAINER_CACHE', '')
    vi.stubEnv('XDG_CACHE_HOME', '/somewhere')
    expect(openvinoFolder()).toBe('/somewhere/ts-trainer/openvino-1.8.1')
    vi.stubEnv('XDG_CACHE_HOME', '')
    vi.stubEnv('HOME', '/home/me')
    expect(openvinoFolder()).toBe('/home/me/.cache/ts-trainer/openvino-1.8.1')
  })
})
