// the folder of an adapter → its base model with the adapter
import { isAbsolute, join } from 'node:path'

import { type AdapterConfig, adapterConfigName, readAdapterConfig } from '../adapters/adapterConfig'
import { bareName } from '../adapters/adapterWeights'
import { quoted, TrainerError } from '../errors'
import { isFolder, pathExists } from '../files/paths'
import { loadAdapterWeights } from '../files/weights'
import type { Task } from '../heads/Head'
import { isRepositoryId } from '../hub/ids'
import { log } from '../logging'
import { labelCount } from '../models/labels'
import { readConfig } from './folders'
import { PeftModel } from './PeftModel'
import { modelFromFolder, type PretrainedOptions, type PreTrainedModel } from './PreTrainedModel'
import { openSource, type PretrainedSource, type SourceOptions, sourceOptionNames } from './sources'
import { checkOptions } from '../options'

/** Whether a folder is an adapter's; Python, too, goes by this file, whatever else lies there. */
export async function hasAdapter(folder: string): Promise<boolean> {
  return pathExists(join(folder, adapterConfigName))
}

/** The base of an adapter's folder, loaded with these options, with the adapter. */
export async function modelOfAdapter<Prediction>(
  source: PretrainedSource,
  options: PretrainedOptions,
  task: Task,
): Promise<PeftModel<Prediction>> {
  const config = await readAdapterConfig(source.folder)
  await source.fetchWeights()
  const { name, ...where } = await baseOf(config, source)
  const { subfolder: _, revision: _revision, ...rest } = options
  const base = await openSource('model', name, { ...rest, ...where })
  await base.fetchConfig()
  const baseConfig = await readConfig(base.folder)
  const shapes = await shapesOf(source.folder)
  const all = { ...rest, ...labelsOf(shapes, task, options, labelCount(baseConfig)) }
  const brought = new Set([...shapes.keys()].map(bareName))
  const model = await modelFromFolder<Prediction>(base.folder, baseConfig, all, task, base, brought)
  return withAdapter(model, source, config)
}

/**
 * Adds an adapter to a model that is there already, as PEFT's `PeftModel.from_pretrained` does.
 * @param folderOrId the folder of the adapter, or the id of its repository.
 * @throws TrainerError ('file') where there is none; ('model') for one of another kind or another model, by the field or
 * the tensor.
 *
 * @example
 * const base = await AutoModelForSequenceClassification.fromPretrained('./bert', { numLabels: 2 })
 * const model = await loadAdapter(base, './adapter')
 */
export async function loadAdapter<Prediction>(
  model: PreTrainedModel<Prediction>,
  folderOrId: string,
  options: SourceOptions = {},
): Promise<PeftModel<Prediction>> {
  checkOptions(options, sourceOptionNames, 'loadAdapter()')
  const source = await openSource('model', folderOrId, options)
  await source.fetchConfig()
  const config = await readAdapterConfig(source.folder)
  await source.fetchWeights()
  return withAdapter(model, source, config)
}

async function withAdapter<Prediction>(
  base: PreTrainedModel<Prediction>,
  { folder, name, repository }: PretrainedSource,
  { lora }: AdapterConfig,
): Promise<PeftModel<Prediction>> {
  const where = join(folder, adapterConfigName)
  const model = new PeftModel(base, lora, { where, nameOrPath: name, repository })
  const { weights, missing } = await model.readAdapter(folder)
  for (const [parameter, tensor] of weights) model.parameters.set(parameter, tensor)
  if (missing.length > 0)
    log('warning', `${name} does not have ${quoted(missing)}: they are those of the base, or random where it has none.`)
  return model
}

/** Where the base of an adapter is: a folder as it is given, or as seen from the adapter's, or a repository. */
async function baseOf(
  { base, revision }: AdapterConfig,
  source: PretrainedSource,
): Promise<{ name: string; revision?: string }> {
  const file = join(source.name, adapterConfigName)
  if (base === undefined)
    throw new TrainerError(
      'model',
      `${file} does not say which model the adapter is for ("base_model_name_or_path").`,
      {
        fix: 'Load that model, and give both to loadAdapter(model, folder).',
      },
    )
  if (source.repository === undefined) {
    const places = isAbsolute(base) ? [base] : [base, join(source.folder, base)]
    for (const place of places) if (await isFolder(place)) return { name: place }
  }
  if (isRepositoryId(base)) return { name: base, ...(revision !== undefined && { revision }) }
  throw new TrainerError('file', `${file} is an adapter for "${base}", which is not here.`, {
    fix: 'Load the model that it was trained on, and give both to loadAdapter(model, folder).',
  })
}

async function shapesOf(folder: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const source = await loadAdapterWeights(folder)
  await source.close()
  return source.shapes
}

/** How many labels the head in an adapter has, where the caller does not say and the base has another number. */
function labelsOf(
  shapes: ReadonlyMap<string, readonly number[]>,
  task: Task,
  options: PretrainedOptions,
  own: number,
): { numLabels?: number } {
  const isClassifier = task === 'sequence-classification' || task === 'token-classification'
  const isGiven = [options.numLabels, options.id2label, options.label2id].some(option => option !== undefined)
  if (!isClassifier || isGiven) return {}
  const weight = /^(classifier|score)(\.out_proj)?\.weight$/
  const head = [...shapes].find(([name, dims]) => weight.test(bareName(name)) && dims.length === 2)
  const count = head?.[1][0]
  return count === undefined || count === own ? {} : { numLabels: count }
}
