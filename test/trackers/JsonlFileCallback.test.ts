import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JsonlLogCallback } from '../../src/index'
import { createTrainer, run } from '../trainer/support'

const args = { reportTo: 'jsonl', runName: 'ü', saveStrategy: 'steps', saveSteps: 2 } as const
const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Record<string, unknown>)
const stepsOf = (path: string): unknown[] => linesOf(path).map(({ step }) => step)

describe("reportTo: 'jsonl'", () => {
  it('writes the lines of JsonlLogCallback to log.jsonl', async () => {
    const lines: string[] = []
    const { trainer, outputDir } = await run(args, { callbacks: [new JsonlLogCallback(line => void lines.push(line))] })
    await trainer.evaluate()
    expect(readFileSync(join(outputDir, 'log.jsonl'), 'utf8')).toBe(lines.join(''))
    expect(lines).toHaveLength(8)
    expect(JSON.parse(lines[0]!)).toMatchObject({ run_name: 'ü', step: 1, loss: expect.any(Number) as number })
  })

  it('drops what came after the checkpoint that a run resumes from, and a line that was cut off', async () => {
    const { outputDir } = await run(args)
    const file = join(outputDir, 'log.jsonl')
    appendFileSync(file, '{"run_name": "ü", "loss": 0.')
    await run({ ...args, outputDir, maxSteps: 5 }, { resumeFromCheckpoint: `${outputDir}/checkpoint-4` })
    expect(stepsOf(file)).toEqual([1, 2, 3, 4, 5, 5])
    expect(existsSync(join(outputDir, 'log.1.jsonl'))).toBe(false)
  })

  it('keeps the file of a run that was there before', async () => {
    const trainer = createTrainer({ ...args, maxSteps: 1 })
    const { outputDir } = trainer.args
    await trainer.train()
    const first = readFileSync(join(outputDir, 'log.jsonl'), 'utf8')
    await trainer.train()
    await trainer.train()
    expect(readFileSync(join(outputDir, 'log.1.jsonl'), 'utf8')).toBe(first)
    for (const name of ['log.jsonl', 'log.1.jsonl', 'log.2.jsonl'])
      expect(stepsOf(join(outputDir, name))).toEqual([1, 1])
  })
})
