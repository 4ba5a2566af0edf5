import { type SourceOptions, sourceOptionNames } from '../auto/sources'
import { taskOfFolder } from '../auto/taskOfFolder'
import { TrainerError } from '../errors'
import { checkOptions } from '../options'
import { type NamedTask, pipelineNameOf } from './openModel'

/**
 * The task of the pipeline that a folder's model was trained for, or that of a repository by its id: by the class that
 * its config.json names, or the task of an adapter.
 * @throws TrainerError ('model') where it names none that there is a pipeline for; as `AutoConfig.fromPretrained` does for
 * files.
 *
 * @example
 * const task = await pipelineTaskOf('./my-model') // 'text-classification'
 */
export async function pipelineTaskOf(folderOrId: string, options: SourceOptions = {}): Promise<NamedTask> {
  checkOptions(options, sourceOptionNames, 'pipelineTaskOf()')
  const { task, says } = await taskOfFolder(folderOrId, options)
  const name = pipelineNameOf(task)
  if (name !== undefined) return name
  const found =
    says === undefined ? 'does not say what it was trained for' : `is a ${says}, which no pipeline answers with`
  throw new TrainerError('model', `${folderOrId} ${found}.`, { fix: 'Name the task of the pipeline yourself.' })
}
