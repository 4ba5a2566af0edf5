// the models of each task, and what a folder's was trained for
import {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  type HeadTask,
  type NamedTask,
  PeftModel,
  type PreTrainedModel,
  type SourceOptions,
  taskOfFolder,
  TrainerError,
} from '../index'

/** Tasks by the names of their pipelines; multiple choice has none. */
export type ModelTask = NamedTask | 'multiple-choice'

interface TaskModels {
  readonly head: HeadTask
  fromPretrained(model: string, options: object): Promise<unknown>
}

const models: Readonly<Record<ModelTask, TaskModels>> = {
  'text-classification': { head: 'sequence-classification', ...AutoModelForSequenceClassification },
  'token-classification': { head: 'token-classification', ...AutoModelForTokenClassification },
  'question-answering': { head: 'question-answering', ...AutoModelForQuestionAnswering },
  'fill-mask': { head: 'masked-lm', ...AutoModelForMaskedLM },
  'feature-extraction': { head: 'feature-extraction', ...AutoModel },
  'multiple-choice': { head: 'multiple-choice', ...AutoModelForMultipleChoice },
}

/** The tasks that models are opened for. */
export const modelTasks = Object.keys(models) as ModelTask[]

/** The model of a folder or an id for a task; a head that the folder lacks starts at random. */
export async function modelFor(
  task: ModelTask,
  name: string,
  source: SourceOptions,
): Promise<PreTrainedModel<unknown>> {
  return (await models[task].fromPretrained(name, source)) as PreTrainedModel<unknown>
}

/** What a folder's config.json, or that of its adapter, says that a model was trained for; undefined where it does not. */
export async function taskSaid(name: string, source: SourceOptions): Promise<ModelTask | undefined> {
  return taskWithHead((await taskOfFolder(name, source)).task)
}

function taskWithHead(head: HeadTask | undefined): ModelTask | undefined {
  return modelTasks.find(task => models[task].head === head)
}

/**
 * What a folder's model is for.
 * @param wanted the task; by default what the folder says.
 * @throws TrainerError ('model') where the folder does not say, or says another: the encoder is taken of any.
 */
export async function taskOfModel(
  name: string,
  wanted: ModelTask | undefined,
  source: SourceOptions,
): Promise<ModelTask> {
  const { task: head, says } = await taskOfFolder(name, source)
  const said = taskWithHead(head)
  const task = wanted ?? said
  if (task === undefined) {
    const isNone = says === undefined
    const what = isNone
      ? 'does not say what it was trained for'
      : `is a ${says}, which is for no task that is known here`
    throw new TrainerError('model', `${name} ${what}.`, { fix: 'Say it: --task TASK.' })
  }
  if (said === undefined || said === task || said === 'feature-extraction' || task === 'feature-extraction') return task
  throw new TrainerError('model', `${name} was trained for ${said}, not for ${task}.`, {
    fix: `Give a model for ${task}, or train this one first.`,
  })
}

/**
 * A model that was trained for its task.
 * @throws TrainerError ('model') as taskOfModel does, and where the folder has no weights for its head.
 */
export async function trainedModel(
  name: string,
  wanted: ModelTask | undefined,
  source: SourceOptions,
): Promise<PreTrainedModel<unknown>> {
  const task = await taskOfModel(name, wanted, source)
  const model = await modelFor(task, name, source)
  const { newlyInitialized } = model instanceof PeftModel ? (model.base as PreTrainedModel<unknown>) : model
  if (task !== 'feature-extraction' && newlyInitialized.length > 0)
    throw new TrainerError('model', `${name} was not trained for ${task}: it lacks ${newlyInitialized.join(', ')}.`, {
      fix: 'Train it first, or give another folder.',
    })
  return model
}
