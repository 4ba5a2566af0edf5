// A program that loads from a Hub, trains, pushes, and dies of an error or waits to be killed; run by token.test.ts in a
// process of its own, in a folder of its own.
import { inspect } from 'node:util'
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  Dataset,
  DataCollatorWithPadding,
  JsonlLogCallback,
  setLogLevel,
  Trainer,
  TrainerCallback,
  whoami,
} from '../../src/index'
import { setFirstWait } from '../../src/hub/connection'

/** What the program is told, as JSON in its first argument. */
export interface TokenTask {
  /** Given to every function that takes one; absent where the environment or the file has it. */
  readonly token?: string
  readonly ending: 'error' | 'kill'
}

const { token, ending } = JSON.parse(process.argv[2]!) as TokenTask
const tell = (what: string): void => void process.send?.(what)

class Ending extends TrainerCallback {
  override onStepEnd(_args: unknown, { globalStep }: { readonly globalStep: number }): void {
    if (globalStep === 5 && ending === 'error') throw new Error('a callback of the user fails')
  }
}

setLogLevel('debug')
setFirstWait(1)
const options = token === undefined ? {} : { token }
console.log(await whoami(options))
const tokenizer = await AutoTokenizer.fromPretrained('acme/old-words', options)
const model = await AutoModelForSequenceClassification.fromPretrained('acme/secret-model', { ...options, numLabels: 2 })
const rows = Array.from({ length: 16 }, (_, i) => ({ ...tokenizer(i % 2 === 0 ? 'the town' : 'a'), label: i % 2 }))

const trainer = (...callbacks: TrainerCallback[]): Trainer =>
  new Trainer({
    model,
    args: {
      outputDir: 'run',
      ...(token !== undefined && { hubToken: token }),
      pushToHub: true,
      hubModelId: 'loopback/run',
      hubStrategy: 'all_checkpoints',
      hubAlwaysPush: true,
      saveSteps: 2,
      evalStrategy: 'steps',
      evalSteps: 2,
      maxSteps: 6,
      loggingSteps: 1,
      perDeviceTrainBatchSize: 4,
    },
    trainDataset: Dataset.fromRows(rows),
    evalDataset: Dataset.fromRows(rows),
    processingClass: tokenizer,
    dataCollator: DataCollatorWithPadding(tokenizer),
    callbacks: [new JsonlLogCallback(line => void process.stdout.write(line)), ...callbacks],
  })

const first = trainer()
console.log(
  inspect(first, { depth: 12 }),
  inspect(first.args, { depth: 12 }),
  JSON.stringify(first.args),
  `${first.args}`,
)
await first.train()
tell('trained')
await first.pushToHub({ language: 'en', tags: 'planted' })
await first.saveState()
await model.pushToHub('loopback/model', options)
await tokenizer.pushToHub('loopback/model', options)
tell('pushed')
await first.pushToHub({ commitMessage: 'refused' }).catch((error: unknown) => {
  console.log(inspect(error, { depth: 12, showHidden: true }), String(error), JSON.stringify(error))
})
tell('failed')
await AutoTokenizer.fromPretrained('acme/missing', options).catch((error: unknown) => {
  console.log(inspect(error, { depth: 12, showHidden: true }))
})
const second = trainer(new Ending())
await second.train({ resumeFromCheckpoint: true })
await second.train()
