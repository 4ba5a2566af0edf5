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

/** A model, and what it is for. */
export interface TaskModel {
  readonly task: ModelTask
  readonly model: PreTrainedModel<unknown>
}

/** The model of a folder or an id for a task; a head that the folder lacks starts at random. */
export async function modelFor(
  task: ModelTask,
  name: string,
  source: SourceOptions,
): Promise<PreTrainedModel<unknown>> {
  return (await models[task].fromPretrained(name, source)) as PreTrainedModel<unknown>
}

/** What the folder's config.json, or that of its adapter, says that a model was trained for; undefined where it does not. */
export async function taskSaid(name: string, source: SourceOptions): Promise<ModelTask | undefined> {
  const { task } = await taskOfFolder(name, source)
  return modelTasks.find(one => models[one].head === task)
}

/**
 * A model that was trained for its task.
 * @param wanted the task; by default what the folder says.
 * @throws TrainerError ('model') where the folder does not say, says another, or has no weights for its head.
 */
export async function trainedModel(
  name: string,
  wanted: ModelTask | undefined,
  source: SourceOptions,
): Promise<TaskModel> {
  const said = await taskSaid(name, source)
  const task = wanted ?? said
  if (task === undefined)
    throw new TrainerError('model', `${name} does not say what it was trained for.`, {
      fix: `Say it: --task ${modelTasks.join(', --task ')}.`,
    })
  const isOther = said !== undefined && said !== task && said !== 'feature-extraction' && task !== 'feature-extraction'
  if (isOther) throw new TrainerError('model', `${name} was trained for ${said}, not for ${task}.`)
  const model = await modelFor(task, name, source)
  const { newlyInitialized } = model instanceof PeftModel ? (model.base as PreTrainedModel<unknown>) : model
  if (task !== 'feature-extraction' && newlyInitialized.length > 0)
    throw new TrainerError('model', `${name} was not trained for ${task}: it lacks ${newlyInitialized.join(', ')}.`, {
      fix: 'Train it first, or give another folder.',
    })
  return { task, model }
}
