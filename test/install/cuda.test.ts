import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { chooseBuild, cudaFolder, installedBuilds, installedCuda } from '../../src/engine/cuda'
import { type CudaBuild, cudaBuilds } from '../../src/engine/cudaWheels'
import type { NvidiaDriver } from '../../src/engine/driver'
import type { PinnedWheel } from '../../src/engine/pinnedWheel'
import { installBuild, installCuda, type InstallCudaOptions, type InstalledCuda } from '../../src/install/cuda'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { pin, zipOf } from '../helpers/wheels'

/** Two small wheels in place of the pinned ones. */
const contents: Readonly<Record<string, Readonly<Record<string, Buffer>>>> = {
  'onnxruntime-gpu': {
    'onnxruntime/capi/libonnxruntime.so.1.30.0': Buffer.from('the runtime'),
    'onnxruntime/capi/libonnxruntime_providers_cuda.so': Buffer.alloc(100_000, 'the provider '),
    'onnxruntime/LICENSE': Buffer.from('MIT'),
  },
  'nvidia-cublas': {
    'nvidia/cu13/lib/libcublas.so.13': Buffer.from('products'),
    'nvidia_cublas.dist-info/License.txt': Buffer.from("NVIDIA's terms"),
  },
}
const bytesOf = (project: string): Buffer => zipOf(contents[project]!)
const wheels = Object.keys(contents).map((project): PinnedWheel => {
  const file = `${project.replaceAll('-', '_')}-1.0-py3-none-any.whl`
  return { ...pin(bytesOf(project), Object.keys(contents[project]!)), project, file }
})
const build: CudaBuild = { ...cudaBuilds['13'], unpacked: 100_100, wheels }

let root: string

beforeEach(() => {
  root = temporaryFolder()
  vi.stubEnv('TS_TRAINER_CACHE', join(root, 'cache'))
  vi.stubEnv('PIP_CONFIG_FILE', '/dev/null')
  for (const { project, file } of wheels) {
    mkdirSync(join(root, 'index', project), { recursive: true })
    writeFileSync(join(root, 'index', project, 'index.html'), `<a href="../${file}">${file}</a>`)
    writeFileSync(join(root, 'index', file), bytesOf(project))
  }
})

afterEach(() => vi.unstubAllEnvs())

function install(options: InstallCudaOptions = {}): Promise<InstalledCuda> {
  return installBuild(
    { build, reason: 'it was asked for' },
    { indexUrl: pathToFileURL(join(root, 'index')).href, ...options },
  )
}

describe('installing CUDA', () => {
  it('says sizes and licences first, then puts libraries beside each other and the licences apart', async () => {
    const lines: string[] = []
    const { folder, files, wasThere } = await install({ report: line => lines.push(line) })
    expect(lines.slice(0, 4)).toEqual([
      'ONNX Runtime 1.30.0 with CUDA 13:',
      'it was asked for.',
      '2 wheels, 0.00 GB to fetch, 0.00 GB on the disk, in',
      folder,
    ])
    expect(lines.slice(4, 6).join(' ')).toMatch(/^Licences: ONNX Runtime has MIT's.* NVIDIA's.* licenses\/ there\.$/)
    expect(lines.slice(6).every(line => line.startsWith('Fetching '))).toBe(true)
    expect(wasThere).toBe(false)
    expect(readdirSync(folder).toSorted()).toEqual([
      'libcublas.so.13',
      'libonnxruntime.so.1.30.0',
      'libonnxruntime_providers_cuda.so',
      'licenses',
    ])
    const text = join(folder, 'licenses/nvidia-cublas/License.txt')
    expect(readFileSync(text, 'utf8')).toBe("NVIDIA's terms")
    expect(files.find(({ name }) => name === 'libonnxruntime_providers_cuda.so')?.bytes).toBe(100_000)
    expect(await install({ indexUrl: 'http://127.0.0.1:1' })).toEqual({
      folder,
      files,
      cuda: '13',
      version: '1.30.0',
      wasThere: true,
    })
  })

  it('takes wheels of a folder', async () => {
    const { files } = await install({ indexUrl: undefined, wheels: join(root, 'index') })
    expect(files).toHaveLength(5)
    await expect(installBuild({ build, reason: '' }, { wheels: join(root, 'none') })).resolves.toMatchObject({
      wasThere: true,
    })
  })

  it('leaves nothing where a wheel is another one or cannot be had, and says how pip gets them all', async () => {
    writeFileSync(join(root, 'index', wheels[1]!.file), 'something else')
    const error = await install().catch((caught: Error) => caught)
    expect((error as Error).message).toMatch(
      /nvidia_cublas-1\.0.+ is not the expected wheel: .+Run `pip download --no-deps .+ -d FOLDER onnxruntime-gpu==1\.0 nvidia-cublas==1\.0` and give the folder: --wheels FOLDER\.$/,
    )
    expect(readdirSync(join(root, 'cache'))).toEqual([])
    expect(installedBuilds()).toEqual([])
    await expect(install({ wheels: join(root, 'none') })).rejects.toThrow(`There is no file ${join(root, 'none')}`)
  })

  it('needs room on the disk', async () => {
    const large = { ...build, unpacked: 1e18 }
    await expect(installBuild({ build: large, reason: '' }, {})).rejects.toThrow(
      /GB free; 1000000000\.\d\d GB are needed\. Name a folder on another disk in .+TS_TRAINER_CACHE/,
    )
  })

  it('knows its versions of CUDA and its platforms', async () => {
    if (process.platform === 'linux' && process.arch === 'x64')
      await expect(installCuda({ cuda: '11' as '12' })).rejects.toThrow(
        /no build for CUDA '11'\. Write '12', .+ 525 .+ '13', .+ 580/,
      )
    const before = process.platform
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    const refused = installCuda().finally(() => Object.defineProperty(process, 'platform', { value: before }))
    await expect(refused).rejects.toThrow(/is installed on linux x64; this is darwin .+ONNXRUNTIME_LIBRARY/)
  })
})

describe('the pinned wheels', () => {
  it.each(Object.values(cudaBuilds))(
    'of CUDA $cuda have one build of every file',
    ({ cuda, version, wheels: pinned }) => {
      expect(pinned[0]).toMatchObject({ project: 'onnxruntime-gpu', version })
      for (const { file, project, sha256, bytes } of pinned) {
        expect(file).toMatch(
          new RegExp(`^${project.replaceAll('-', '_')}-[\\d.]+-(py3-none|cp312-cp312)-manylinux\\S+x86_64\\.whl$`),
        )
        expect(sha256).toMatch(/^[0-9a-f]{64}$/)
        expect(bytes).toBeGreaterThan(900_000)
      }
      const libraries = pinned.flatMap(({ members }) =>
        members.map(name => basename(name)).filter(name => name.includes('.so')),
      )
      expect(new Set(libraries).size).toBe(libraries.length)
      expect(libraries).toContain(`libcublasLt.so.${cuda}`)
      expect(pinned.every(({ members }) => members.some(name => /licen[cs]e/i.test(name)))).toBe(true)
    },
  )
})

describe('which CUDA', () => {
  const driver = (cuda: number, capability?: number): NvidiaDriver => ({
    cuda,
    gpus: capability === undefined ? [] : [{ name: 'Tesla V100', capability, memory: 0 }],
  })

  it.each([
    [undefined, '13', /no NVIDIA driver here .+ before 580 need --cuda 12/],
    [driver(13_000), '13', /driver here runs CUDA 13\.0/],
    [driver(13_010, 90), '13', /driver here runs CUDA 13\.1/],
    [driver(13_000, 70), '12', /no code for the Tesla V100/],
    [driver(12_080, 90), '12', /driver here runs CUDA 12\.8/],
  ])('for %j', (given, cuda, reason) => {
    const chosen = chooseBuild(given)
    expect(chosen.build.cuda).toBe(cuda)
    expect(chosen.reason).toMatch(reason)
  })

  it('is none for a driver that is too old', () => {
    expect(() => chooseBuild(driver(11_040))).toThrow(/runs CUDA 11\.4; 12\.0 is the least\. Install driver 525/)
  })

  it('is taken of those that are installed', () => {
    expect(installedCuda(undefined)).toBeUndefined()
    const put = (of: CudaBuild): string => {
      mkdirSync(cudaFolder(of), { recursive: true })
      writeFileSync(join(cudaFolder(of), 'libonnxruntime_providers_cuda.so'), '')
      return cudaFolder(of)
    }
    if (process.platform === 'win32') return
    const newer = put(cudaBuilds['13'])
    expect([undefined, driver(13_000), driver(12_080)].map(installedCuda)).toEqual([newer, newer, newer])
    const older = put(cudaBuilds['12'])
    expect([undefined, driver(13_000), driver(13_000, 70), driver(12_080)].map(installedCuda)).toEqual([
      newer,
      newer,
      older,
      older,
    ])
  })
})
