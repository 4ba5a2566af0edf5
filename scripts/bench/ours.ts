// one run of ts-trainer in a process of its own: job.json → result.json
import { readFileSync, writeFileSync } from 'node:fs'
import type * as library from '../../src/index'
import type { Job, PhaseSpan, RunResult } from './job'
import { peakMemory as peakOf } from './peakMemory'

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Job
const importedAt = performance.now()
const {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  createProfile,
  DataCollatorWithPadding,
  Dataset,
  Trainer,
  TrainingArguments,
} = (await import(job.module)) as typeof library

const tokenizer = await AutoTokenizer.fromPretrained(job.tokenizer)
const model = await AutoModelForSequenceClassification.fromPretrained(job.model, {
  numLabels: job.numLabels,
  config: job.config,
})
const trainDataset = Dataset.fromColumns(
  JSON.parse(readFileSync(job.rows, 'utf8')) as { input_ids: number[][]; label: number[] },
)

const processorTime: number[] = []
const stepEnds: number[] = []
const losses: number[] = []
const memory: number[] = []
const lengths: number[][] = []
const transfers: { up: number; down: number }[] = []
const collated: PhaseSpan[] = []
const pad = DataCollatorWithPadding(tokenizer)
const profile = createProfile(job.operators === undefined ? {} : { operators: job.operators })

const trainer = new Trainer({
  model,
  trainDataset,
  processingClass: tokenizer,
  profile,
  args: new TrainingArguments({
    outputDir: job.output,
    perDeviceTrainBatchSize: job.batch,
    maxSteps: job.warmup + job.steps,
    seed: job.seed,
    threads: job.threads,
    device: job.device,
    fp16: job.precision === 'float16',
    bf16: job.precision === 'bfloat16',
    ...(job.device.startsWith('cuda') && { tf32: job.precision === 'tf32' }),
    gradientCheckpointing: job.gradientCheckpointing ?? false,
    saveStrategy: 'no',
    loggingSteps: job.keepLosses ? 1 : 10,
    disableTqdm: true,
  }),
  dataCollator: (rows, indices) => {
    const start = performance.now()
    const batch = pad(rows, indices)
    lengths.push(rows.map(row => (row['input_ids'] as ArrayLike<number>).length))
    collated.push({ phase: 'collate', start, end: performance.now() })
    return batch
  },
  callbacks: [
    {
      onStepEnd() {
        stepEnds.push(performance.now())
        transfers.push(profile.transfers)
        const { user, system } = process.cpuUsage()
        processorTime.push((user + system) / 1e6)
        if (stepEnds.length % job.memoryInterval === 0) memory.push(process.memoryUsage.rss())
      },
      onLog(_args, _state, _control, { logs }) {
        if (job.keepLosses && logs?.['loss'] !== undefined) losses.push(Number(logs['loss']))
      },
    },
  ],
})
await trainer.train()
const peakMemory = peakOf()
await trainer.dispose()

const result: RunResult = {
  stepEnds: stepEnds.map(end => end / 1000),
  lengths: lengths.slice(0, stepEnds.length),
  losses,
  memory,
  peakMemory,
  processorTime,
  transfers,
  versions: { node: process.versions.node },
  importToFirstStep: (stepEnds[0]! - importedAt) / 1000,
  phases: [...collated, ...profile.spans],
  programs: profile.programs,
}
writeFileSync(job.result, JSON.stringify(result))
