// what scripts/gpu/measure.ts runs on a machine with a GPU, and what it makes of what comes back
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseOptions } from '../scripts/bench/options'
import { outcomeOf, stepsOf, tableOf } from '../scripts/gpu/steps'

const root = join(import.meta.dirname, '..')
const bench = ['--shape', 'base', '--task', 'quickstart']
const steps = stepsOf({ devices: ['cuda', 'webgpu'], bench, tests: true })

describe('the steps', () => {
  it('are the tests and each precision on each device, with profiles', () => {
    expect(steps.map(({ name }) => name)).toEqual([
      'cuda, tests',
      'cuda, float32',
      'cuda, tf32',
      'cuda, float16',
      'cuda, bfloat16',
      'cuda, float32 --profile',
      'cuda, float16 --profile',
      'cuda, bfloat16 --profile',
      'webgpu, tests',
      'webgpu, float32',
      'webgpu, float16',
      'webgpu, float32 --profile',
      'webgpu, float16 --profile',
    ])
  })

  it('are words that the bench takes, and files that are there', () => {
    for (const { words, measures } of steps) {
      if (measures) expect(parseOptions(words.slice(3)), words.join(' ')).toMatchObject({ shape: 'base' })
      for (const word of words.filter(other => /^(test|scripts|node_modules)\//.test(other)))
        expect(existsSync(join(root, word)), word).toBe(true)
    }
  })
})

describe('what comes back', () => {
  const [tests, float32] = [steps[0]!, steps[1]!]

  it('is a table of figures, and of what could not be done', () => {
    const line = '{"samplesPerSecond":300.5,"bytesUp":36729.3,"bytesDown":12,"lossDifference":1e-7,"rivals":{"plain":{"samplesPerSecond":150,"ratio":2.003}}}' // prettier-ignore
    const outcomes = [
      outcomeOf(tests, 0, 60, 'Test Files  6 passed\nTests  90 passed'),
      outcomeOf(float32, 0, 30, `head\n${line}\n`),
      outcomeOf(float32, 1, 2, "Provider 'cuda' does not start: libcuda.so.1 | Install it.\n"),
      outcomeOf(float32, null, 2, ''),
    ]
    expect(tableOf(outcomes)).toBe(
      [
        '|  | samples/s | Hugging Face | ratio | bytes up, down a step | losses apart | not done |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        '| cuda, tests |  |  |  |  |  |  |',
        '| cuda, float32 | 300.50 | 150.00 | 2.00 | 36729, 12 | 1.0e-7 |  |',
        "| cuda, float32 |  |  |  |  |  | Provider 'cuda' does not start: libcuda.so.1 \\| Install it. |",
        '| cuda, float32 |  |  |  |  |  | it printed nothing |',
      ].join('\n'),
    )
  })
})

describe('npm run bench on a device', () => {
  it('knows which precisions there are', () => {
    expect(parseOptions(['--task', 'quickstart', '--device', 'cuda:1', '--precision', 'tf32'])).toMatchObject({
      device: 'cuda:1',
      precision: 'tf32',
    })
    const refused =
      (...words: string[]): (() => unknown) =>
      () =>
        parseOptions(['--task', 'quickstart', ...words])
    expect(refused('--precision', 'float16')).toThrow('these are: float32, bfloat16')
    expect(refused('--device', 'webgpu', '--precision', 'bfloat16')).toThrow('these are: float32, float16')
    expect(refused('--device', 'cuda', '--rival', 'bf16')).toThrow('these are: plain, grouped')
    expect(refused('--device', 'cuda', '--artifacts')).toThrow('measured on the processor only')
    expect(refused('--device', 'cuda:x')).toThrow("Device 'cuda:x' is not one")
  })

  it('says why a device does not start, before anything is measured', async () => {
    const words = ['--import', 'tsx', 'scripts/bench.ts', '--task', 'quickstart', '--device', 'dml', '--rival', 'none']
    await expect(promisify(execFile)(process.execPath, words, { cwd: root })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Provider 'dml' is not in this build of ONNX Runtime") as string,
    })
  })
})
