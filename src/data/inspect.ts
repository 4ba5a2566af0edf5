// what a dataset has, before anything of it is loaded
import { checkOptions } from '../options'
import { type HubOptions, hubOptionNames } from '../hub/connection'
import { configurationNames, findSplits } from './findFiles'
import { openSource } from './openSource'

/**
 * The configurations of a dataset: those that its card names, or that the Hub has converted; ['default'] where it has
 * no others.
 * @param path a folder, or an id of the Hub.
 * @throws TrainerError as `loadDataset` does.
 *
 * @example
 * await getDatasetConfigNames('nyu-mll/glue') // ['ax', 'cola', 'mnli', …]
 */
export async function getDatasetConfigNames(path: string, options: HubOptions = {}): Promise<string[]> {
  checkOptions(options, hubOptionNames, 'getDatasetConfigNames()')
  const { source } = await openSource(path, options)
  return [...(await configurationNames(source))]
}

/**
 * The splits of a configuration, in their order; nothing but the card is read.
 * @param path a folder, or an id of the Hub.
 * @param configuration may be left out as for `loadDataset`.
 * @throws TrainerError as `loadDataset` does.
 *
 * @example
 * await getDatasetSplitNames('nyu-mll/glue', 'mrpc') // ['train', 'validation', 'test']
 */
export async function getDatasetSplitNames(
  path: string,
  configuration?: string,
  options: HubOptions = {},
): Promise<string[]> {
  checkOptions(options, hubOptionNames, 'getDatasetSplitNames()')
  const { source, dataFiles } = await openSource(path, options)
  const { splits } = await findSplits(source, { configuration, dataFiles })
  return Object.keys(splits)
}
