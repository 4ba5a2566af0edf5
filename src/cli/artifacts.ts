import { generateArtifacts, type GenerateArtifactsOptions, type TrainableModel } from '../index'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, readFlags, UsageError } from './flags'
import { modelFor, type ModelTask, modelTasks, taskSaid } from './models'
import type { Streams } from './Streams'

/** What has a loss. */
const trainedTasks = modelTasks.filter(task => task !== 'feature-extraction')

const table = {
  name: 'artifacts',
  usage: '--model DIR_OR_ONNX --output DIR [FLAGS]',
  about: [
    'Writes training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint: a model, its loss and its ' +
      'optimizer as files that a runtime trains. docs/artifacts.md in the folder of the package says how.',
  ],
  flags: {
    model: {
      type: 'text',
      value: 'DIR_OR_ONNX',
      required: true,
      help: 'A folder of a model (or its id on the Hub), or an ONNX file.',
    },
    task: {
      type: 'text',
      value: 'TASK',
      choices: trainedTasks,
      help: 'The head of a folder. By default what its config.json says, else text-classification.',
    },
    loss: {
      type: 'text',
      help:
        "cross-entropy, mse, l1, bce-with-logits, or in full (mean-squared-error, …); left out, the model's first " +
        'output is the loss.',
    },
    optimizer: { type: 'text', help: 'adamw or sgd; left out, no optimizer_model.onnx is written.' },
    trainable: {
      type: 'texts',
      value: 'NAME',
      help: 'A name, or the beginning of names up to a dot, of what is trained (default: as the model says).',
    },
    frozen: { type: 'texts', value: 'NAME', help: 'The same of parameters that are kept as they are.' },
    'additional-output': { type: 'texts', value: 'NAME', help: 'The name of an output that stays one.' },
    'loss-input': { type: 'texts', value: 'NAME', help: 'The name of an output that the loss reads.' },
    output: { type: 'text', value: 'DIR', required: true, help: 'The folder that they are written to.' },
    prefix: { type: 'text', help: "What stands before the files' names." },
    dialect: { type: 'text', help: 'portable (default: ordinary operators) or onnxruntime-training.' },
    nominal: { type: 'switch', help: 'Writes nominal_checkpoint too.' },
  },
} as const satisfies CommandTable<FlagTable>

/** `ts-trainer artifacts`: prints the paths of what it wrote. */
export async function runArtifacts(words: readonly string[], { out }: Streams): Promise<number> {
  const read = readFlags(table, words, { out })
  if (read === undefined) return exitCodes.done
  const { model, output: folder, ...given } = read.values
  const isFile = model.endsWith('.onnx')
  if (isFile && given.task !== undefined)
    throw new UsageError('--task says which head a folder is read with; an ONNX file has its outputs.')
  const source: string | TrainableModel<unknown> = isFile ? model : await modelOf(model, given.task)
  const files = await generateArtifacts(source, {
    loss: given.loss as GenerateArtifactsOptions['loss'],
    optimizer: given.optimizer as GenerateArtifactsOptions['optimizer'],
    requiresGrad: given.trainable,
    frozenParams: given.frozen,
    additionalOutputNames: given['additional-output'],
    lossInputNames: given['loss-input'],
    artifactDirectory: folder,
    prefix: given.prefix,
    dialect: given.dialect as GenerateArtifactsOptions['dialect'],
    nominalCheckpoint: given.nominal,
  })
  for (const path of Object.values(files) as (string | undefined)[]) if (path !== undefined) out(path)
  return exitCodes.done
}

async function modelOf(name: string, wanted: ModelTask | undefined): Promise<TrainableModel<unknown>> {
  const said = wanted ?? (await taskSaid(name, {}))
  return modelFor(said === undefined || said === 'feature-extraction' ? 'text-classification' : said, name, {})
}
