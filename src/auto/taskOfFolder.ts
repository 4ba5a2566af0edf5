// a model's folder → what its head was trained for
import { readAdapterConfig } from '../adapters/adapterConfig'
import { taskTypes } from '../adapters/LoraConfig'
import type { HeadTask } from '../heads/Head'
import { checkOptions } from '../options'
import { readConfig } from './folders'
import { hasAdapter } from './modelOfAdapter'
import { openSource, type SourceOptions, sourceOptionNames } from './sources'

/** What a folder says of itself. */
export interface FolderTask {
  /** undefined where it says nothing that is known here. */
  readonly task: HeadTask | undefined
  /** Its own word for it: a class of Python's, or a task of PEFT's. */
  readonly says: string | undefined
}

/** How Python's classes end, by the head that they have. */
const suffixes: Partial<Readonly<Record<HeadTask, string>>> = {
  'sequence-classification': 'ForSequenceClassification',
  'token-classification': 'ForTokenClassification',
  'question-answering': 'ForQuestionAnswering',
  'multiple-choice': 'ForMultipleChoice',
  'masked-lm': 'ForMaskedLM',
  'feature-extraction': 'Model',
}

function taskOfClass(name: string): HeadTask | undefined {
  return (Object.keys(suffixes) as HeadTask[]).find(task => name.endsWith(suffixes[task]!))
}

/**
 * What a folder, or a repository by its id, was trained for: by its config.json, or that of an adapter.
 * @throws TrainerError as `AutoConfig.fromPretrained` does.
 *
 * @example
 * const { task } = await taskOfFolder('./my-model') // 'multiple-choice'
 */
export async function taskOfFolder(folderOrId: string, options: SourceOptions = {}): Promise<FolderTask> {
  checkOptions(options, sourceOptionNames, 'taskOfFolder()')
  const source = await openSource('config', folderOrId, options)
  await source.fetchConfig()
  if (await hasAdapter(source.folder)) {
    const { taskType: says } = (await readAdapterConfig(source.folder)).lora
    const tasks = Object.keys(taskTypes) as HeadTask[]
    return { says, task: tasks.find(task => says !== undefined && taskTypes[task] === says) }
  }
  const { architectures } = (await readConfig(source.folder)) as { architectures?: unknown }
  const names = Array.isArray(architectures) ? architectures.map(String) : []
  return { says: names.join(', ') || undefined, task: names.map(taskOfClass).find(task => task !== undefined) }
}
