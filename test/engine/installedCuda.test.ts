import { execFile, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { cudaBuilds } from '../../src/engine/cudaWheels'
import { findLibrary } from '../../src/engine/library'
import { temporaryFolder } from '../helpers/temporaryFolder'

const linux = process.platform === 'linux'
const compiles = linux && spawnSync('cc', ['--version']).status === 0
if (!compiles) process.stdout.write("skipped: the stand-in of NVIDIA's driver: no C compiler (cc) on Linux\n")

/** A driver that runs CUDA 13.0 on one GPU, as far as it is asked. */
const driver = `#include <string.h>
#include <stdio.h>
#include <stdlib.h>
int cuDriverGetVersion(int *v) {
  FILE *f = fopen(getenv("ASKED"), "a"); fputs("asked\\n", f); fclose(f);
  *v = 13000; return 0;
}
int cuInit(unsigned f) { return 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(int *d, int i) { *d = i; return 0; }
int cuDeviceGetName(char *s, int n, int d) { strncpy(s, "Stand-in 100", n); return 0; }
int cuDeviceTotalMem_v2(unsigned long long *m, int d) { *m = 8ull << 30; return 0; }
int cuDeviceGetAttribute(int *v, int a, int d) { *v = a == 75 ? 8 : 6; return 0; }`

let cache: string
let installed: string

/** A library in the installed folder, which has no more of CUDA than the name of its provider. */
beforeEach(() => {
  cache = temporaryFolder()
  installed = join(cache, `cuda13-onnxruntime-${cudaBuilds['13'].version}`)
  mkdirSync(installed)
  copyFileSync(findLibrary().path, join(installed, 'libonnxruntime.so.1.30.0'))
  writeFileSync(join(installed, 'libonnxruntime_providers_cuda.so'), 'not a library')
})

describe.runIf(linux)('what install cuda has left', () => {
  it("is the library of device 'cuda', and then of every other", async () => {
    const [cuda, cpu] = await inOwnProcess(`results.push(await engine('cuda'), await engine('cpu'))`)
    expect(cuda).toMatch(/^Provider 'cuda' does not start: .*libonnxruntime_providers_shared\.so/)
    expect(cuda).toContain(installed)
    expect(cpu).toBe(join(installed, 'libonnxruntime.so.1.30.0'))
  })

  it('is not opened without need, and not beside another', async () => {
    const [cpu, automatic, cuda] = await inOwnProcess(
      `results.push(await engine('cpu'), await engine('auto'), await engine('cuda'))`,
    )
    expect([cpu, automatic]).toEqual([findLibrary().path, findLibrary().path])
    expect(cuda).toMatch(
      /^Two copies of ONNX Runtime .+install cuda` is taken where the process's first engine is on 'cuda'/,
    )
  })

  it.runIf(compiles)(
    "is the library of 'auto' where there is a driver, and the doctor names driver and GPU",
    async () => {
      const folder = temporaryFolder()
      writeFileSync(join(folder, 'driver.c'), driver)
      spawnSync('cc', ['-shared', '-fPIC', '-o', join(folder, 'libcuda.so.1'), join(folder, 'driver.c')])
      const [automatic, report, text] = await inOwnProcess(
        `const { doctor } = await import('./src/engine/doctor.ts')
      const { formatDoctor } = await import('./src/engine/formatDoctor.ts')
      const report = await doctor()
      results.push(await engine('auto'), report, formatDoctor(report))`,
        { LD_LIBRARY_PATH: folder, ASKED: join(folder, 'asked') },
      )
      expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('asked\n')
      expect(automatic).toBe(join(installed, 'libonnxruntime.so.1.30.0'))
      expect(report).toMatchObject({
        library: { source: 'install cuda' },
        nvidia: { driver: '13.0', gpus: [{ name: 'Stand-in 100', capability: 86, memory: 8 * 2 ** 30 }] },
      })
      expect(text).toContain('cuda:0: Stand-in 100, compute capability 8.6, 8.0 GiB')
      expect(text).toMatch(/missing: cuDNN 9 \(libcudnn\.so\.9\)/)
    },
  )
})

/** Runs a script in a process of its own, which has to end well, and gives what it has pushed. */
async function inOwnProcess(lines: string, environment: NodeJS.ProcessEnv = {}): Promise<unknown[]> {
  const script = `const { createEngine } = await import('./src/engine/Engine.ts')
    const engine = device => createEngine({ device }).then(made => made.library, error => error.message)
    const results = []
    ${lines}
    process.stdout.write(JSON.stringify(results) + '\\n')`
  const { ONNXRUNTIME_LIBRARY: _other, ...inherited } = process.env
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    {
      env: { ...inherited, TS_TRAINER_CACHE: cache, ...environment },
      timeout: 50_000,
    },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as unknown[]
}
