import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { findLibrary, isSameFile, packageVersion } from '../../src/engine/library'
import { temporaryFolder } from '../helpers/temporaryFolder'

const steps = {
  engine: `const { createEngine } = await import('./src/engine/Engine.ts')
    const engine = await createEngine(); const program = await engine.load(model)
    results.push([...(await program.run({ x }))['y'].data])`,
  onnxruntime: `const ort = (await import('onnxruntime-node')).default
    const session = await ort.InferenceSession.create(model)
    results.push([...(await session.run({ x: new ort.Tensor('float32', [1, 2], [2]) })).y.data])`,
  transformers: `const { softmax, Tensor } = await import('@huggingface/transformers')
    const t = new Tensor('float32', Float32Array.of(1, 2), [2])
    results.push([...t.data])`,
}

describe('the library', () => {
  let folder: string
  beforeAll(() => {
    folder = temporaryFolder()
  })

  it("is the one that npm's onnxruntime-node ships, by its full version", () => {
    const { path, source } = findLibrary()
    if (process.env['ONNXRUNTIME_LIBRARY'] !== undefined) return expect(source).toBe('ONNXRUNTIME_LIBRARY')
    expect(source).toBe('onnxruntime-node')
    expect(packageVersion(path)).toMatch(/^1\.\d+\.\d+$/)
  })

  it('may be named as a file or as a folder', () => {
    const { path } = findLibrary()
    expect(isSameFile(findLibrary(path).path, path)).toBe(true)
    expect(isSameFile(findLibrary(join(path, '..')).path, path)).toBe(true)
    expect(() => findLibrary(folder)).toThrow(`Looked at: ${folder}`)
  })

  it.each([
    ['engine', 'onnxruntime'],
    ['onnxruntime', 'engine'],
    ['engine', 'transformers', 'onnxruntime'],
    ['transformers', 'engine', 'onnxruntime'],
  ] as const)(
    'is shared in one process: %s, then %s',
    async (...order) => {
      const { results, libraries } = await inOwnProcess(order.map(step => steps[step]))
      expect(results).toEqual(order.map(() => [1, 2]))
      expect(libraries).toHaveLength(1)
    },
    60_000,
  )

  it('is refused as a second copy, with the way to one', async () => {
    const bin = join(folder, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch)
    mkdirSync(bin, { recursive: true })
    writeFileSync(
      join(folder, 'node_modules', 'onnxruntime-node', 'package.json'),
      '{ "name": "onnxruntime-node", "version": "1.29.9" }',
    )
    const { path } = findLibrary()
    const copy = join(bin, path.split(/[\\/]/).at(-1)!)
    copyFileSync(path, copy)
    const { results } = await inOwnProcess(
      [
        steps.onnxruntime,
        `const { createEngine } = await import('./src/engine/Engine.ts')
        await createEngine({ library: process.argv[1] }).catch(error => results.push(error.code, error.message))`,
      ],
      copy,
    )
    expect(results[1]).toBe('engine')
    expect(results[2]).toMatch(
      /^Two copies of ONNX Runtime .*is loaded already.*onnxruntime-node 1\.29\.9.*npm dedupe/s,
    )
  }, 60_000)
})

/**
 * Runs steps in a new process, which has to end by itself and well, and gives what they pushed and the copies of the
 * library that were loaded.
 */
async function inOwnProcess(
  lines: readonly string[],
  argument = '',
): Promise<{ results: unknown[]; libraries: string[] }> {
  const script = `const { handmadeModel } = await import('./test/helpers/handmadeModel.ts')
    const { Tensor } = await import('./src/tensor.ts')
    const { loadedLibraries } = await import('./src/engine/library.ts')
    const node = { op: 'Identity', inputs: ['x'], outputs: ['y'] }
    const model = handmadeModel([node], [{ name: 'x', dims: ['n'] }], [{ name: 'y' }])
    const x = Tensor.from('float32', [1, 2]); const results = []
    ${lines.map(line => `{ ${line} }`).join('\n')}
    process.stdout.write(JSON.stringify({ results, libraries: loadedLibraries() }) + '\\n')`
  const command = ['--import', 'tsx', '--input-type=module', '-e', script, argument]
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: 50_000 })
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as { results: unknown[]; libraries: string[] }
}
