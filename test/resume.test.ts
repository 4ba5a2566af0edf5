import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  checkpointFiles,
  trainElsewhere,
  trainHere,
  type TrainingReport,
  type TrainingTask,
  twentySteps,
} from './helpers/trainingProcess'
import { temporaryFolder } from './helpers/temporaryFolder'

const evaluated: TrainingTask['args'] = {
  ...twentySteps,
  evalStrategy: 'steps',
  evalSteps: 3,
  saveSteps: 3,
  metricForBestModel: 'loss',
  lrSchedulerType: 'reduce_lr_on_plateau',
  lrSchedulerKwargs: { patience: 1 },
}

/** What has to be the same, wherever the run lies. */
function comparable(report: TrainingReport, folder: string): unknown {
  const checkpoint = checkpointFiles(folder) as { 'trainer_state.json': Record<string, unknown> }
  const { best_model_checkpoint: best, ...state } = checkpoint['trainer_state.json']
  return {
    report: { ...report, best: { ...report.best, checkpoint: nameOf(report.best.checkpoint) } },
    checkpoint: { ...checkpoint, 'trainer_state.json': { ...state, best: nameOf(best) } },
  }
}

function nameOf(path: unknown): unknown {
  return typeof path === 'string' ? path.split('/').at(-1) : path
}

describe('a run of twenty steps with dropout, accumulation and epochs that end in short windows', () => {
  let whole: string
  let report: TrainingReport
  beforeAll(async () => {
    whole = temporaryFolder()
    report = await trainElsewhere({ outputDir: whole, args: twentySteps })
  })

  // the middle of a log's window; an epoch's last step; the first of the next; before the last
  it.each([1, 8, 9, 19])('resumes in another process after step %i, bit for bit', async step => {
    const part = temporaryFolder()
    cpSync(join(whole, `checkpoint-${step}`), join(part, `checkpoint-${step}`), { recursive: true })
    const resumed = await trainHere({ outputDir: part, args: twentySteps, resume: true })
    expect(comparable(resumed, join(part, 'checkpoint-20'))).toEqual(comparable(report, join(whole, 'checkpoint-20')))
  })

  it('has nothing left to do after its last step, and leaves everything as it is', async () => {
    const part = temporaryFolder()
    cpSync(join(whole, 'checkpoint-20'), join(part, 'checkpoint-20'), { recursive: true })
    const resumed = await trainHere({ outputDir: part, args: twentySteps, resume: true })
    expect({ ...resumed, logHistory: [] }).toEqual({ ...report, logHistory: [] })
    expect(checkpointFiles(join(part, 'checkpoint-20'))).toEqual(checkpointFiles(join(whole, 'checkpoint-20')))
  })
})

// each: what else a checkpoint has to remember
it.each<[string, TrainingTask['args']]>([
  ['a rate that follows the evaluations, and the best of them', evaluated],
  ['layers that are computed again', { ...twentySteps, saveSteps: 3, gradientCheckpointing: true }],
  [
    'momentum that is no elementwise update',
    { ...twentySteps, optim: 'adafactor', saveSteps: 3, trainSamplingStrategy: 'group_by_length' },
  ],
])('resumes with %s', async (_, args) => {
  const whole = temporaryFolder()
  const part = temporaryFolder()
  const task = { args: args!, evaluates: args!.evalStrategy !== undefined }
  const report = await trainHere({ ...task, outputDir: whole })
  cpSync(join(whole, 'checkpoint-9'), join(part, 'checkpoint-9'), { recursive: true })
  const best = nameOf(report.best.checkpoint) as string | undefined
  if (best !== undefined) cpSync(join(whole, best), join(part, best), { recursive: true })
  const resumed = await trainHere({ ...task, outputDir: part, resume: join(part, 'checkpoint-9') })
  expect(comparable(resumed, join(part, 'checkpoint-20'))).toEqual(comparable(report, join(whole, 'checkpoint-20')))
})
