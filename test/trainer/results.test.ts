import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { collate, createTrainer, rows, run } from './support'

describe('results', () => {
  it('prints metrics in columns', () => {
    const written: string[] = []
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation(text => (written.push(String(text)), true))
    onTestFinished(() => spy.mockRestore())
    createTrainer().logMetrics('train', { train_loss: 0.123456789, train_runtime: 3723.456, total_flos: 3.3e15 })
    expect(written.join('')).toBe(
      '***** train metrics *****\n  total_flos    =  3073364GF\n  train_loss    =     0.1235\n  train_runtime = 1:02:03.45\n',
    )
  })

  it('formats metrics to be read, and does not change the given ones', () => {
    const metrics = { eval_runtime: 0.999, eval_mem_cpu_alloc_delta: 5 * 2 ** 20 + 7 }
    expect(createTrainer().metricsFormat(metrics)).toEqual({
      eval_runtime: '0:00:00.99',
      eval_mem_cpu_alloc_delta: '5MB',
    })
    expect(metrics.eval_runtime).toBe(0.999)
  })

  it('saves metrics as numbers, sorted, and all of them together', async () => {
    const trainer = createTrainer({ outputDir: join(temporaryFolder(), 'new') })
    const read = (name: string): string => readFileSync(join(trainer.args.outputDir, name), 'utf8')
    await trainer.saveMetrics('train', { train_loss: 0.5, epoch: 2 })
    await trainer.saveMetrics('eval', { eval_loss: NaN, epoch: 3 })
    await trainer.saveMetrics('test', { test_loss: 1 }, false)
    expect(read('train_results.json').trimEnd()).toBe('{\n    "epoch": 2,\n    "train_loss": 0.5\n}')
    expect(JSON.parse(read('all_results.json'))).toEqual({ epoch: 3, eval_loss: null, train_loss: 0.5 })
    expect(existsSync(join(trainer.args.outputDir, 'test_results.json'))).toBe(true)
  })

  it('saves the state', async () => {
    const { trainer, outputDir } = await run({ maxSteps: 2 })
    await trainer.saveState()
    expect(JSON.parse(readFileSync(join(outputDir, 'trainer_state.json'), 'utf8'))).toMatchObject({
      global_step: 2,
      max_steps: 2,
    })
  })
})

describe('what a Trainer knows about itself', () => {
  it('counts weights, examples and operations', async () => {
    const trainer = createTrainer({ perDeviceTrainBatchSize: 5 })
    const width = 8
    const embeddings = (30 + 12 + 2) * width
    const others =
      2 * width +
      4 * (width * width + width) +
      2 * width +
      (width * 12 + 12) +
      (12 * width + width) +
      2 * width +
      (width * width + width) +
      (2 * width + 2)
    expect(trainer.getNumTrainableParameters()).toBe(embeddings + others)
    expect(trainer.numExamples(trainer.getTrainDataloader())).toBe(12)
    expect(trainer.floatingPointOps(collate(rows(3).map(row => ({ ...row }))))).toBe(6 * 3 * 7 * others)
    expect([trainer.isLocalProcessZero(), trainer.isWorldProcessZero()]).toEqual([true, true])
  })

  it('groups parameters by weight decay', async () => {
    const trainer = createTrainer({ weightDecay: 0.3, maxSteps: 2, lrSchedulerType: 'constant' })
    expect(trainer.getDecayParameterNames()).toContain('classifier.weight')
    expect(trainer.getDecayParameterNames().filter(name => /bias|LayerNorm/.test(name))).toEqual([])
    expect(() => trainer.getLearningRates()).toThrow(/no optimizer yet/)
    await trainer.train()
    expect(trainer.getLearningRates()).toEqual([0.01, 0.01])
    expect(trainer.getOptimizerGroup('classifier.weight').weightDecay).toBe(0.3)
    expect(trainer.getOptimizerGroup('classifier.bias').weightDecay).toBe(0)
    expect(
      trainer
        .getOptimizerGroup()
        .flatMap(({ parameters }) => parameters)
        .toSorted(),
    ).toEqual([...trainer.model.parameters.keys()].toSorted())
    expect(() => trainer.getOptimizerGroup('nothing')).toThrow(/no parameter "nothing"/)
  })
})
