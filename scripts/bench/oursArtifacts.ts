// one run of ts-trainer on training artifacts in a process of its own: job.json → result.json
import { readFileSync, writeFileSync } from 'node:fs'
import type * as library from '../../src/index'
import type { ArtifactJob, RunResult } from './job'
import { peakMemory } from './peakMemory'

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ArtifactJob
const importedAt = performance.now()
const { Dataset, Tensor, Trainer, TrainingArtifacts } = (await import(job.module)) as typeof library

const { batches, lengths } = JSON.parse(readFileSync(job.batches, 'utf8')) as ArtifactBatches
const model = await TrainingArtifacts.fromPretrained(job.artifacts)
const stepEnds: number[] = []
const losses: number[] = []

const trainer = new Trainer({
  model,
  trainDataset: Dataset.fromRows(batches.map((_, batch) => ({ batch }))), // a row stands for a batch
  dataCollator: rows =>
    Object.fromEntries(
      Object.entries(batches[Number(rows[0]!['batch'])]!).map(([name, { shape, data }]) => [
        name,
        new Tensor('int64', BigInt64Array.from(data, BigInt), shape),
      ]),
    ),
  args: {
    outputDir: job.output,
    perDeviceTrainBatchSize: 1,
    numTrainEpochs: 1,
    trainSamplingStrategy: 'sequential',
    removeUnusedColumns: false,
    learningRate: job.rate,
    lrSchedulerType: 'constant',
    threads: job.threads,
    saveStrategy: 'no',
    loggingSteps: 1,
    disableTqdm: true,
  },
  callbacks: [
    {
      onStepEnd: () => void stepEnds.push(performance.now()),
      onLog(_args, _state, _control, { logs }) {
        if (logs?.['loss'] !== undefined) losses.push(Number(logs['loss']))
      },
    },
  ],
})
await trainer.train()
const peak = peakMemory()
await trainer.dispose()

const result: RunResult = {
  stepEnds: stepEnds.map(end => end / 1000),
  lengths,
  losses,
  memory: [],
  peakMemory: peak,
  versions: { node: process.versions.node },
  importToFirstStep: (stepEnds[0]! - importedAt) / 1000,
}
writeFileSync(job.result, JSON.stringify(result))

/** What both sides are fed, padded, and the lengths of the rows. */
interface ArtifactBatches {
  readonly batches: readonly Readonly<Record<string, { readonly shape: number[]; readonly data: number[] }>>[]
  readonly lengths: number[][]
}
