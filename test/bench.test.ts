import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { checkShape, configOf, dropoutOf } from '../scripts/bench/families'
import { figuresOf, median } from '../scripts/bench/figures'
import { stepFlops } from '../scripts/bench/flops'
import type { RunResult } from '../scripts/bench/job'
import { parseOptions, subjectOf } from '../scripts/bench/options'
import { operatorParts, phaseParts, readOperators } from '../scripts/bench/phases'
import { withSection } from '../scripts/bench/record'
import { AutoModelForSequenceClassification } from '../src/index'
import { architectures } from '../src/models/registry'
import { temporaryFolder } from './helpers/temporaryFolder'

const root = join(import.meta.dirname, '..')
const bench = (...words: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', join(root, 'scripts/bench.ts'), ...words], { cwd: root })

const small = '--task quickstart --shape tiny --batch 4 --rounds 1 --steps 2'.split(' ')

describe('npm run bench', () => {
  it('measures, and ends with one line of JSON', async () => {
    const { stdout } = await bench(...small, '--rival', 'none')
    const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>
    expect(result).toMatchObject({
      task: 'quickstart',
      shape: 'tiny',
      family: 'bert',
      batch: 4,
      precision: 'float32',
      rivals: {},
      rounds: 1,
    })
    for (const key of ['samplesPerSecond', 'tokensPerSecond', 'gemmShare', 'updateShare', 'timeToFirstStep'])
      expect(result[key], key).toBeGreaterThan(0)
    expect(result['tokensPerSecond']! / result['samplesPerSecond']!).toBeGreaterThan(5) // tokens of a sentence
    expect(result['peakMemory']).toBeGreaterThan(100e6) // bytes
    expect(result['updateShare']).toBeLessThan(1)
    // a model of 2 labels that has learnt nothing yet
    const losses = /ts-trainer((?: +[\d.]+){5})\n/.exec(stdout)![1]!.trim().split(/ +/).map(Number)
    expect(Math.max(...losses.map(loss => Math.abs(loss - Math.LN2)))).toBeLessThan(0.2)
  }, 120_000)

  it('measures another family of models', async () => {
    const { stdout } = await bench(...small, '--family', 'roberta', '--rival', 'none')
    expect(stdout).toContain('weights: random, roberta of the shape 2×128')
    const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>
    expect(result).toMatchObject({ family: 'roberta', shape: 'tiny' })
    expect(result['samplesPerSecond']).toBeGreaterThan(0)
  }, 120_000)

  it.each(Object.keys(architectures))('has a config of every family: %s', family => {
    const config = configOf(family, 'tiny')
    const model = AutoModelForSequenceClassification.fromConfig(config, { numLabels: 2 })
    expect(() => checkShape(model.config, family, 'tiny', undefined)).not.toThrow()
    expect(Object.keys(dropoutOf(config, 0)).length).toBeGreaterThan(1)
    expect(() => checkShape(model.config, family, 'base', 'DIR')).toThrow(
      `--family ${family} --shape base is ${family}, 12×768`,
    )
  })

  it('measures gradient checkpointing, whose losses are the same', async () => {
    const { stdout } = await bench(...small, '--length', '40', '--checkpointing')
    expect(stdout).toContain('rows of 40 tokens')
    const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>
    expect(result).toMatchObject({ batch: 4, rounds: 1, lossDifference: 0 })
    for (const key of ['timeRatio', 'processorRatio', 'memoryRatio']) expect(result[key], key).toBeGreaterThan(0)
  }, 120_000)

  it('measures training artifacts', async () => {
    const { stdout } = await bench(...small, '--artifacts', '--rival', 'none')
    const losses = /ts-trainer((?: +[\d.]+){5})\n/.exec(stdout)![1]!.trim().split(/ +/).map(Number)
    expect(Math.max(...losses.map(loss => Math.abs(loss - Math.LN2)))).toBeLessThan(0.2)
    const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, number>
    expect(result).toMatchObject({ artifacts: true, shape: 'tiny', batch: 4, rounds: 1, rivals: {} })
    expect(result['samplesPerSecond']).toBeGreaterThan(0)
  }, 120_000)

  it('refuses what it does not know', () => {
    expect(() => parseOptions(['--artifacts', '--profile'])).toThrow('--profile has no place beside --artifacts')
    expect(() => parseOptions(['--artifacts', '--rival', 'bf16'])).toThrow('has one rival, ONNX Runtime Training')
    expect(subjectOf(parseOptions(['--task', 'quickstart', '--artifacts'])!)).toBe(
      'quickstart, minilm, batch 32, float32, artifacts, 12 steps beside ONNX Runtime Training',
    )
    expect(() => parseOptions(['--shape', 'minilmm'])).toThrow(/--shape "minilmm" is not known.*Did you mean "minilm"/s)
    expect(() => parseOptions(['--family', 'robrta'])).toThrow(
      /--family "robrta" is not known.*Did you mean "roberta"/s,
    )
    expect(parseOptions(['--shape', 'distil'])).toMatchObject({ family: 'distilbert' })
    expect(() => parseOptions(['--rounds', '0'])).toThrow('--rounds has to be a whole number of at least 1')
    expect(() => parseOptions(['--rival', 'plain,bf61'])).toThrow('--rival "bf61" is not known')
    expect(parseOptions(['--task', 'quickstart', '--rival', 'grouped-bf16,plain'])).toMatchObject({
      rivals: ['grouped-bf16', 'plain'],
      data: undefined,
      rounds: 5,
    })
    expect(() => parseOptions(['--checkpointing', '--profile'])).toThrow(
      '--profile has no place beside --checkpointing',
    )
    expect(() => parseOptions(['--checkpointing', '--rival', 'grouped'])).toThrow(
      '--rival has no place beside --checkpointing',
    )
  })
})

describe('figures', () => {
  it('count what is multiplied: the last layer keys and values for all tokens, the rest for the first ones', () => {
    // rows of 3 and 1 tokens, width 2, inner width 8; one layer: keys and values 2·4·4 tokens, query, output and
    // feed-forward (2·4 + 2·16)·2 rows, pooler and head (4 + 4)·2 rows; attention 4·(3 + 1)·2
    expect(stepFlops({ layers: 1, width: 2, innerWidth: 8, labels: 2 }, [3, 1])).toBe(3 * (2 * (32 + 80 + 16) + 32))
    // a layer more: (4·4 + 2·16)·4 tokens; attention 4·(9 + 1)·2
    expect(stepFlops({ layers: 2, width: 2, innerWidth: 8, labels: 2 }, [3, 1])).toBe(
      3 * (2 * (32 + 80 + 16 + 192) + 32 + 80),
    )
  })

  it('are of the steps after the warm-up', () => {
    const result: RunResult = {
      stepEnds: [2, 3, 5, 6],
      lengths: [[9, 9], [4, 2], [3, 1], [5], [7]],
      losses: [],
      memory: [
        ...Array<number>(9).fill(50),
        170,
        200,
        200,
        199,
        201,
        202,
        204,
        203,
        999,
        203,
        201,
        201,
        201,
        201,
        201,
        999,
      ],
      peakMemory: 300,
      versions: {},
      importToFirstStep: 1,
      phases: [
        { phase: 'update', start: 2900, end: 3300 },
        { phase: 'update', start: 4000, end: 4300 },
      ],
    }
    const shape = { layers: 1, width: 2, innerWidth: 8, labels: 2 }
    expect(figuresOf(result, 2, shape)).toEqual({
      samplesPerSecond: 1,
      tokensPerSecond: 3,
      flopsPerSecond: (stepFlops(shape, [3, 1]) + stepFlops(shape, [5])) / 3,
      peakMemory: 300,
      timeToFirstStep: 2,
      importToFirstStep: 1,
      updateShare: 0.2,
      memoryGrowth: 203 / 200 - 1,
    })
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5])
  })

  it('give time that two phases share to the first of them, and add up to the window', () => {
    const spans = [
      { phase: 'run', start: 0, end: 60 },
      { phase: 'collate', start: 10, end: 70 },
      { phase: 'update', start: 80, end: 95 },
      { phase: 'run', start: 85, end: 90 },
      { phase: 'update', start: 200, end: 300 },
    ]
    const parts = phaseParts(spans, { from: 20, to: 100 })
    expect(Object.fromEntries(parts.map(({ name, time, whole }) => [name, [time, whole]]))).toEqual({
      update: [15, 15],
      run: [40, 45],
      collect: [0, 0],
      masks: [0, 0],
      pack: [0, 0],
      collate: [10, 50],
      rest: [15, 15],
    })
    expect(parts.reduce((sum, { time }) => sum + time, 0)).toBe(80)
  })

  it("take operators' times from the files of ONNX Runtime's profiler, on the clock of the process", () => {
    const file = join(temporaryFolder(), 'profile.json')
    writeFileSync(
      file,
      JSON.stringify([
        { cat: 'Session', ph: 'X', name: 'model_run', ts: 0, dur: 9000, args: {} },
        { cat: 'Node', ph: 'X', name: 'a_kernel_time', ts: 1000, dur: 500, args: { op_name: 'Gemm' } },
        { cat: 'Node', ph: 'X', name: 'a_kernel_time', ts: 5000, dur: 2000, args: { op_name: 'Gemm' } },
        { cat: 'Node', ph: 'X', name: 'b_fence_before', ts: 7000, dur: 1, args: { op_name: 'Add' } },
        { cat: 'Node', ph: 'X', name: 'b_kernel_time', ts: 7000, dur: 3000, args: { op_name: 'Add' } },
      ]),
    )
    const runs = readOperators([{ name: 'training', startedAt: 100, file }])
    expect(runs[0]).toEqual({ op: 'Gemm', node: 'a', start: 101, end: 101.5 })
    expect(operatorParts(runs, { from: 102, to: 200 })).toEqual([
      { name: 'Add', time: 3, whole: 3, count: 1 },
      { name: 'Gemm', time: 2, whole: 2, count: 1 },
    ])
  })
})

describe('a record', () => {
  it('has another heading for other options', () => {
    const subject = (...words: string[]): string => subjectOf(parseOptions(['--task', 'quickstart', ...words])!)
    const options = [
      [],
      ['--shape', 'tiny'],
      ['--shape', 'distil'],
      ['--family', 'distilbert'],
      ['--batch', '8'],
      ['--precision', 'bfloat16'],
      ['--rival', 'none'],
      ['--steps', '9'],
      ['--length', '40'],
      ['--profile'],
      ['--profile', '--steps', '9'],
      ['--checkpointing'],
      ['--checkpointing', '--steps', '9'],
      ['--built'],
    ]
    expect(new Set(options.map(words => subject(...words))).size).toBe(options.length)
    expect(subject('--rival', 'plain,grouped')).toBe(
      'quickstart, minilm, batch 32, float32, 12 steps beside plain and grouped',
    )
    expect(subject('--rival', 'none', '--steps', '1000')).toBe(
      'quickstart, minilm, batch 32, float32, 1000 steps alone',
    )
    expect(subject('--profile', '--shape', 'base')).toBe(
      'quickstart, base, batch 32, float32, 12 steps, where the time goes',
    )
    expect(subject('--checkpointing', '--length', '256')).toBe(
      'quickstart, minilm, batch 32, float32, rows of 256 tokens, 12 steps with and without gradient checkpointing',
    )
  })

  const before = '# Benchmarks\n\nText.\n\n### mrpc, base\n\n```\n# 1\n```\n\n### sst2, base\n\n```\n2\n```\n'

  it('takes the place of the last one', () => {
    expect(withSection(before, 'mrpc, base', ['# 3', '4'])).toBe(
      '# Benchmarks\n\nText.\n\n### mrpc, base\n\n```\n# 3\n4\n```\n\n### sst2, base\n\n```\n2\n```\n',
    )
    expect(withSection(before, 'sst2, base', ['5'])).toBe(before.replace('\n2\n', '\n5\n'))
  })

  it('comes at the end, where there is none', () => {
    expect(withSection(before, 'mrpc, tiny', ['6'])).toBe(`${before}\n### mrpc, tiny\n\n\`\`\`\n6\n\`\`\`\n`)
  })
})
