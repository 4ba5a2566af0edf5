// the flags of commands that answer by a model, and how they open it
import { pipeline, type PipelineOptions, type Pipelines } from '../index'
import { type FlagTable, type FlagValues, UsageError } from './flags'
import { taskOfModel } from './models'

export const modelFlags = {
  task: {
    type: 'text',
    value: 'TASK',
    choices: ['text-classification', 'token-classification', 'question-answering', 'fill-mask', 'feature-extraction'],
    help: 'What the model answers. By default what it was trained for.',
  },
  'batch-size': { type: 'count', value: 'N', help: 'Texts that are computed together.', default: 32 },
  device: { type: 'text', value: 'DEVICE', help: 'cpu, cuda, webgpu, …: npx ts-trainer doctor says what there is.' },
  threads: { type: 'count', value: 'N', help: 'Threads of the processor. By default all cores.' },
  revision: { type: 'text', value: 'NAME', help: 'Of a model on the Hub: a branch, a tag or a commit.' },
} as const satisfies FlagTable

/** A model's task, and the pipeline that answers it. */
export interface OpenedPipeline {
  readonly task: keyof Pipelines
  readonly pipeline: Pipelines[keyof Pipelines]
}

/** The pipeline of a model as the flags say it. @throws TrainerError as `pipeline` does. */
export async function openPipeline(
  model: string,
  values: FlagValues<typeof modelFlags>,
  tasks: readonly (keyof Pipelines)[],
): Promise<OpenedPipeline> {
  const { 'batch-size': batchSize, device, threads, revision } = values
  const source = revision === undefined ? {} : { revision }
  const found = await taskOfModel(model, values.task, source)
  const task = tasks.find(one => one === found)
  if (task === undefined)
    throw new UsageError(`${model} is for ${found}, which this command does not answer.`, {
      fix: `It answers ${tasks.join(', ')}.`,
    })
  const options: PipelineOptions = {
    batchSize,
    ...source,
    ...(device !== undefined && { device: device as NonNullable<PipelineOptions['device']> }),
    ...(threads !== undefined && { threads }),
  }
  return { task, pipeline: await pipeline(task, model, options) }
}

/** The first word of a command, which names a model. @throws UsageError where there is none. */
export function modelWord(command: string, word: string | undefined): string {
  if (word !== undefined) return word
  throw new UsageError(`${command} needs a model: a folder, or an id of the Hub.`, {
    fix: `npx ts-trainer ${command} --help says more.`,
  })
}
