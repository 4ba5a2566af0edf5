// the folder of an adapter → its base model with the adapter
import { type AdapterBase, readAdapterConfig } from '../adapters/adapterConfig'
import { bareName } from '../adapters/adapterWeights'
import { TrainerError } from '../errors'
import { isFolder, pathExists } from '../files/paths'
import { adapterConfigName, loadAdapterWeights } from '../files/weights'
import { isRepositoryId } from '../hub/ids'
import { labelCount } from '../models/labels'
import { readConfig } from './folders'
import type { HeadChoice } from './headOf'
import { type PeftModel, withAdapter } from './PeftModel'
import type { PretrainedOptions } from './modelOptions'
import { modelFromFolder } from './PreTrainedModel'
import { openSource, type PretrainedSource } from './sources'

/** Whether a folder is an adapter's; Python, too, goes by this file, whatever else lies there. */
export async function hasAdapter(folder: string): Promise<boolean> {
  return pathExists(`${folder}/${adapterConfigName}`)
}

/** The base of an adapter's folder, loaded with these options, with the adapter. */
export async function modelOfAdapter<Prediction>(
  source: PretrainedSource,
  options: PretrainedOptions,
  task: HeadChoice,
): Promise<PeftModel<Prediction>> {
  const config = await readAdapterConfig(source.folder)
  await source.fetchWeights()
  const { name, ...where } = await baseOf(config.base, source)
  const { subfolder: _, revision: _revision, ...rest } = options
  const base = await openSource('model', name, { ...rest, ...where })
  await base.fetchConfig()
  const baseConfig = await readConfig(base.folder)
  const shapes = await shapesOf(source.folder)
  const all = { ...rest, ...labelsOf(shapes, task, options, labelCount(baseConfig)) }
  const brought = new Set([...shapes.keys()].map(bareName))
  const model = await modelFromFolder<Prediction>(base.folder, baseConfig, all, task, base, brought)
  return withAdapter(model, config.lora, source)
}

/** Where the base of an adapter is: a folder as it is given, or as seen from the adapter's, or a repository. */
async function baseOf(
  { name: base, revision }: AdapterBase,
  source: PretrainedSource,
): Promise<{ name: string; revision?: string }> {
  const file = `${source.folder}/${adapterConfigName}`
  if (base === undefined)
    throw new TrainerError(
      'model',
      `${file} does not say which model the adapter is for ("base_model_name_or_path").`,
      {
        fix: 'Load that model, and give both to PeftModel.fromPretrained(model, folder).',
      },
    )
  if (source.repository === undefined) {
    for (const place of [base, `${source.folder}/${base}`]) if (await isFolder(place)) return { name: place }
  }
  if (isRepositoryId(base)) return { name: base, ...(revision !== undefined && { revision }) }
  throw new TrainerError('file', `${file} is an adapter for "${base}", which is not here.`, {
    fix: 'Load the model that it was trained on, and give both to PeftModel.fromPretrained(model, folder).',
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
  task: HeadChoice,
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
