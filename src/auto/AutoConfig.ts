import { completeConfig } from '../models/checkConfig'
import type { ModelConfig } from '../models/config'
import { withOwnLabels, withProblemType } from '../models/labels'
import { architectures } from '../models/registry'
import { checkOptions, refuseArguments } from '../options'
import { readConfig } from './folders'
import { openSource, type SourceOptions, sourceOptionNames } from './sources'

/** Configs of models. */
export const AutoConfig = {
  /**
   * The config of a folder, or of a repository by its id, as it stands there.
   * @param options where it is taken from: `revision`, `token`, …
   * @throws TrainerError when there is none, and, naming the file and the field, for a value that cannot be where the
   * family is known.
   */
  async fromPretrained(
    folderOrId: string,
    options: SourceOptions = {},
    ...extra: readonly never[]
  ): Promise<ModelConfig> {
    const where = 'AutoConfig.fromPretrained()'
    refuseArguments(extra, `${where}, beside a folder or an id and its options,`)
    checkOptions(options, sourceOptionNames, where)
    const source = await openSource('config', folderOrId, options)
    await source.fetchConfig()
    const { folder } = source
    const config = await readConfig(folder)
    if (!Object.hasOwn(architectures, config.model_type)) return config
    const file = `${folder}/config.json`
    withProblemType(withOwnLabels(config, file, false), undefined, file)
    completeConfig(config, architectures[config.model_type]!.config, file)
    return config
  },
}
