// the loop on a device: it waits for no number in the middle of a step, and what it learns late leaves the state whole
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Engine, EngineOptions, Program } from '../../src/engine/Engine'
import {
  Dataset,
  type LossFunction,
  meanSquaredError,
  type TrainerOptions,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { expectClose } from '../helpers/expectClose'
import { hindranceOf } from '../helpers/hindrance'
import { pretendedDevice } from '../helpers/pretendedDevice'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { collate, createTrainer, logged, rows, tinyModel, weights } from './support'

const seen = vi.hoisted(() => ({
  /** What an engine was asked for, in order. */
  events: [] as string[],
  engine: undefined as Engine | undefined,
  /** Whether the next training run is not to end before something is uploaded. */
  waitsForUpload: false,
  onUpload: (): void => undefined,
}))

vi.mock('../../src/engine/Engine', async importOriginal => {
  const original = await importOriginal<{ createEngine: (options: EngineOptions) => Promise<Engine> }>()
  const note = <Result>(event: string, work: () => Promise<Result>): Promise<Result> => {
    seen.events.push(event)
    return work().finally(() => seen.events.push(`${event} done`))
  }
  const createEngine = async (options: EngineOptions): Promise<Engine> => {
    const engine = options.device === 'pretended' ? pretendedDevice() : await original.createEngine(options)
    const { load, upload, download } = engine
    seen.engine = engine
    return Object.assign(engine, {
      upload: (tensor => {
        seen.onUpload()
        return note('upload', () => upload.call(engine, tensor))
      }) satisfies Engine['upload'],
      download: (value => note('download', () => download.call(engine, value))) satisfies Engine['download'],
      load: (async (model, given) => {
        const program = await load.call(engine, model, given)
        const run = program.run.bind(program)
        const name = given?.name ?? ''
        return Object.assign(program, {
          run: ((...values) =>
            note(name, async () => {
              const isHeld = seen.waitsForUpload && name.startsWith('training')
              if (isHeld) seen.waitsForUpload = false
              const uploaded = isHeld && new Promise<void>(resolve => (seen.onUpload = resolve))
              return Promise.all([run(...values), uploaded]).then(([outputs]) => outputs)
            })) satisfies Program['run'],
        })
      }) satisfies Engine['load'],
    })
  }
  return { ...original, createEngine }
})

afterEach(() => {
  seen.events.length = 0
})

const dropout = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1, classifier_dropout: 0.1 }

/** A step of two micro-batches of two rows, in the order of the rows, whose gradients are clipped; six of them. */
const six: TrainingArgumentsOptions = {
  numTrainEpochs: 1,
  perDeviceTrainBatchSize: 2,
  gradientAccumulationSteps: 2,
  maxGradNorm: 0.1,
  lrSchedulerType: 'constant',
  trainSamplingStrategy: 'sequential',
  loggingStrategy: 'no',
}

/** 24 rows of numbers to be learned; one of them is too large for float32 once it is squared. */
function numbers(wrong?: {
  readonly row: number
  readonly label: number
}): NonNullable<TrainerOptions['trainDataset']> {
  return Dataset.fromRows(rows(24).map((row, i) => ({ ...row, label: i === wrong?.row ? wrong.label : Math.sin(i) })))
}

/** Of the fourth step. */
const wrong = { row: 13, label: 1e30 }

function trainerOn(
  device: string,
  args: TrainingArgumentsOptions,
  trainDataset = numbers(),
  options: Partial<TrainerOptions> = {},
): ReturnType<typeof createTrainer> {
  const model = tinyModel(dropout, { numLabels: 1 })
  return createTrainer(
    { ...six, device, ...args },
    { model, trainDataset, dataCollator: given => collate(given), ...options },
  )
}

/** The weights after so many steps that went well. */
async function weightsAfter(device: string, maxSteps: number): Promise<ReturnType<typeof weights>> {
  const trainer = trainerOn(device, { maxSteps })
  await trainer.train()
  return weights(trainer.model)
}

const onCuda = { providerOptions: { use_tf32: '0' } }

describe.each([
  ['pretended', undefined, {}],
  ['webgpu', await hindranceOf('webgpu'), {}],
  ['cuda', await hindranceOf('cuda'), onCuda],
] as const)('on a device: %s', (device, hindrance, own) => {
  describe.skipIf(hindrance !== undefined)('a run', () => {
    it('brings down at most 64 bytes a step outside of logs, with 16 micro-batches, clipping and dropout', async () => {
      const down: number[] = []
      const note = (): void => void down.push(seen.engine!.transfers.down)
      const args = { ...own, perDeviceTrainBatchSize: 1, gradientAccumulationSteps: 16, numTrainEpochs: 4 }
      await trainerOn(device, args, undefined, { callbacks: [{ onStepEnd: note }] }).train()
      // without the first, at whose begin the parameters are read once
      const steps = down.slice(1).map((bytes, i) => bytes - down[i]!)
      expect(steps).toHaveLength(7)
      expect(Math.max(...steps)).toBeLessThanOrEqual(64)
      expect(Math.max(...steps)).toBe(12) // the loss, the count and the norm of the step before
    })

    it('reads what a step came to when the next one has been sent, and sends a micro-batch while one runs', async () => {
      const ends: number[] = []
      const note = (): void => {
        ends.push(seen.events.length)
        seen.waitsForUpload = ends.length === 2
      }
      await trainerOn(device, { ...own, maxSteps: 3 }, undefined, { callbacks: [{ onStepEnd: note }] }).train()
      const third = seen.events.slice(ends[1], ends[2])
      const runs = third.filter(event => !/upload|download/.test(event))
      const whole = (...names: string[]): string[] => names.flatMap(name => [name, `${name} done`])
      expect(runs).toEqual(whole('training/1', 'training/1', 'sums', 'judging', 'updates'))
      const first = third.indexOf('training/1')
      // the first micro-batch is there before the numbers of the step before are read, and those before it runs
      expect(third.slice(0, first).filter(event => event.startsWith('download'))).toEqual(['download', 'download done'])
      expect(third.indexOf('download')).toBeGreaterThan(third.slice(0, first).lastIndexOf('upload done'))
      expect(third.slice(first).filter(event => event.startsWith('download'))).toEqual([])
      // the second goes up while the first runs, which would not end else
      const firstDone = third.indexOf('training/1 done')
      expect(third.slice(first, firstDone)).toContain('upload')
    })

    it.each([
      ['loss is Infinity', wrong, {}],
      ['gradient norm is Infinity', { row: 13, label: 1e19 }, {}],
      ['loss is Infinity', wrong, { maxSteps: 4 }],
      ['loss is Infinity', wrong, { loggingStrategy: 'steps', loggingSteps: 1 }],
    ] as const)('that finds a step late that its %s stops as it was before it %#', async (message, bad, args) => {
      const trainer = trainerOn(device, { ...own, ...args }, numbers(bad))
      await expect(trainer.train()).rejects.toThrow(new RegExp(`${message} at step 4 .*last finite loss \\d`, 's'))
      expect(trainer.state.globalStep).toBe(3)
      expect(trainer.state.epoch).toBe(0.5)
      await trainer.saveModel(temporaryFolder()) // which reads the weights from the device
      expectSame(device, weights(trainer.model), await weightsAfter(device, 3))
    })

    it('that failed late resumes from its last checkpoint, which knows nothing of it', async () => {
      const outputDir = temporaryFolder()
      const args = { ...own, outputDir, saveStrategy: 'steps', saveSteps: 1 } as const
      await expect(trainerOn(device, args, numbers(wrong)).train()).rejects.toThrow(/at step 4 /)
      const trainer = trainerOn(device, { ...args, saveStrategy: 'no' })
      const { globalStep } = await trainer.train({ resumeFromCheckpoint: join(outputDir, 'checkpoint-3') })
      expect(globalStep).toBe(6)
      expectSame(device, weights(trainer.model), await weightsAfter(device, 6))
    })

    it('leaves a step out where it is told to, and counts it', async () => {
      const messages = logged()
      const args = { onNonFinite: 'skip', loggingStrategy: 'epoch' } as const
      const trainer = trainerOn(device, { ...own, ...args }, numbers(wrong))
      const { trainingLoss } = await trainer.train()
      const onProcessor = trainerOn('cpu', args, numbers(wrong))
      expect(trainingLoss).toBeCloseTo((await onProcessor.train()).trainingLoss, 5)
      expect(messages.filter(message => message.includes('Step 4 is skipped: its loss is Infinity'))).toHaveLength(2)
      expect(trainer.state.logHistory[0]).toMatchObject({ skipped_updates: 1, step: 6 })
      expectSame('webgpu', weights(trainer.model), weights(onProcessor.model))
    })
  })
})

/** The same bits where the device is the processor; else but for the order of sums. */
function expectSame(device: string, given: ReturnType<typeof weights>, expected: ReturnType<typeof weights>): void {
  for (const [name, values] of Object.entries(expected)) {
    if (device === 'pretended') expect(given[name], name).toEqual(values)
    else if (!name.includes('key.bias'))
      expectClose(Float32Array.from(given[name]!), Float32Array.from(values), 1e-4, name) // its gradient is noise
  }
}

describe('a run that learns late what its steps came to', () => {
  /** So steep that gradients overflow at the first loss scales. */
  const steep: LossFunction = ({ logits }, labels, _count, graph) => {
    const { sum, count } = meanSquaredError(graph, logits, labels)
    return { sum: graph.mul(sum, 100), count }
  }

  it.each<[TrainingArgumentsOptions, number]>([
    [{}, 24],
    [{ onNonFinite: 'skip' }, 13],
    [{ onNonFinite: 'continue' }, 13], // which leaves out what is not finite as long as the loss scale can shrink
  ])('makes the steps of one that reads each at once, in float16 with overflows: %o', async (own, row) => {
    const args = { ...own, fp16: true, numTrainEpochs: 4, lrSchedulerType: 'linear', learningRate: 1e-3 } as const
    const outcome = async (logging: TrainingArgumentsOptions): Promise<readonly unknown[]> => {
      const all = { ...args, ...logging, loggingStrategy: 'steps' } as const
      const trainer = trainerOn('pretended', all, numbers({ row, label: 1e30 }), { computeLossFunc: steep })
      const { trainingLoss } = await trainer.train()
      const { skipped_updates: skipped } = trainer.state.logHistory.findLast(({ loss }) => loss !== undefined)!
      return [weights(trainer.model), trainingLoss, skipped]
    }
    const late = await outcome({ loggingSteps: 24 })
    expect(late).toEqual(await outcome({ loggingSteps: 1 }))
    expect(late[2]).toBeGreaterThan(row === 24 ? 1 : 5)
  })
})
