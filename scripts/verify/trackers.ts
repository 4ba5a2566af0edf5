// the real TensorBoard, MLflow and Trackio beside what was reported to them
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  AutoModelForSequenceClassification,
  Dataset,
  PrinterCallback,
  setLogLevel,
  Trainer,
  type TrainerCallback,
} from '../../src/index'
import type { Check } from './Check'
import { inPython, inWorkFolder } from './python'
import { type Started, startServer } from './servers'
import { compareEvents, compareMLflow, compareTrackio, type Read, type Reported } from './trackersRead'

const experiment = 'verify trackers'
const project = 'verify-trackers'
const token = 'verify-token'

function trainerIn(outputDir: string, callbacks: TrainerCallback[] = []): Trainer {
  const config = { model_type: 'bert', vocab_size: 30, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 }
  const rows = Array.from({ length: 24 }, (_, row) => ({
    input_ids: [1 + (row % 29), 1 + ((row * 7) % 29)],
    attention_mask: [1, 1],
    label: row % 2,
  }))
  const trainer = new Trainer({
    model: AutoModelForSequenceClassification.fromConfig({ ...config, intermediate_size: 12 }, { numLabels: 2 }),
    args: {
      ...{ outputDir, project, runName: 'checked', reportTo: 'all', seed: 3, threads: 1, disableTqdm: true },
      ...{ maxSteps: 6, perDeviceTrainBatchSize: 4, loggingSteps: 1, saveStrategy: 'steps', saveSteps: 2 },
      ...{ evalStrategy: 'steps', evalSteps: 3 },
    },
    trainDataset: Dataset.fromRows(rows),
    evalDataset: Dataset.fromRows(rows.slice(0, 8)),
    computeMetrics: () => ({ accuracy: 0.5, undefined_share: NaN, infinite: -Infinity }),
    callbacks,
  })
  trainer.removeCallback(PrinterCallback)
  return trainer
}

async function report(outputDir: string): Promise<Reported> {
  const trainer = trainerIn(outputDir)
  await trainer.train()
  await trainer.evaluate()
  const again = trainerIn(outputDir)
  await again.train({ resumeFromCheckpoint: join(outputDir, 'checkpoint-4') })
  const failing = {
    onStepEnd: (_args: unknown, { globalStep }: { readonly globalStep: number }) => {
      if (globalStep === 2) throw new Error('on purpose')
    },
  }
  const broken = trainerIn(outputDir, [failing])
  await broken.train().catch(() => undefined)
  const [first, all, failed] = [trainer, again, broken].map(({ state }) => state.logHistory)
  for (const one of [trainer, again, broken]) await one.dispose()
  return {
    first: first!,
    resumed: all!.filter(({ step }, i) => i >= all!.findIndex(one => one['step'] === 5) && step !== undefined),
    failed: failed!,
  }
}

async function verify(python: string, work: string, print: (line: string) => void): Promise<boolean> {
  const script = join(import.meta.dirname, 'trackers.py')
  const runs = join(work, 'out', 'runs')
  const trackioFolder = { TRACKIO_DIR: join(work, 'trackio'), TRACKIO_WRITE_TOKEN: token, HF_HUB_OFFLINE: '1' }
  const servers: Started[] = []
  const start = async (name: string, words: readonly string[], env = {}): Promise<string> => {
    const server = await startServer(
      python,
      name,
      port => words.map(word => (word === 'PORT' ? `${port}` : word)),
      work,
      env,
    )
    servers.push(server)
    return server.url
  }
  try {
    const store = ['--workers', '1', '--backend-store-uri', `sqlite:///${join(work, 'mlflow.db')}`]
    const mlflow = await start('mlflow', ['-m', 'mlflow', 'server', '--port', 'PORT', ...store])
    const trackio = await start('trackio', [script, 'serve', 'PORT'], trackioFolder)
    // its first answer takes longer than a run waits for
    await fetch(`${mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default`)
    const address = `${trackio}?write_token=${token}`
    const env = { MLFLOW_TRACKING_URI: mlflow, MLFLOW_EXPERIMENT_NAME: experiment, TRACKIO_SERVER_URL: address }
    Object.assign(process.env, env)
    const reported = await report(join(work, 'out'))
    const board = await start('tensorboard', ['-m', 'tensorboard.main', '--logdir', runs, '--port', 'PORT'])
    Object.assign(process.env, trackioFolder)
    const read = await inPython<Read>(python, 'trackers.py', ['read', runs, mlflow, experiment, project])
    const events = await compareEvents(reported, read, runs, board)
    return printed({ ...events, ...compareMLflow(reported, read), ...compareTrackio(reported, read) }, print)
  } finally {
    for (const server of servers) server.stop()
  }
}

/** Prints each question with what is wrong, and answers whether nothing is. */
function printed(answers: Readonly<Record<string, readonly string[]>>, print: (line: string) => void): boolean {
  for (const [question, wrong] of Object.entries(answers)) {
    print(`${question}: ${wrong.length === 0 ? 'the same' : 'DIFFERENT'}`)
    for (const line of wrong.slice(0, 5)) print(`  ${line.slice(0, 1000)}`)
  }
  return Object.values(answers).every(wrong => wrong.length === 0)
}

export const trackers: Check = {
  does: 'Reports a run, one that resumes from its checkpoint and one that fails to the real TensorBoard, MLflow and Trackio, and has Python read them back: every number with its step, parameters, how it ended.',
  needs: 'python3 with tensorboard, mlflow and trackio (--python PATH)',
  takes: 'about a minute',
  options: '[--python PATH (python3)]',
  async run(options, print) {
    const { values } = parseArgs({ args: [...options], options: { python: { type: 'string', default: 'python3' } } })
    setLogLevel('warning')
    return inWorkFolder('trackers', async work => verify(values.python, work, print))
  },
}
