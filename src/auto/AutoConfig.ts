import { completeConfig } from '../models/checkConfig'
import type { ModelConfig } from '../models/config'
import { withOwnLabels, withProblemType } from '../models/labels'
import { architectures } from '../models/registry'
import { refuseArguments } from '../options'
import { readConfig } from './folders'

/** Configs of models. */
export const AutoConfig = {
  /**
   * The config of a folder, as it stands there.
   * @throws TrainerError when there is none, and, naming the file and the field, for a value that cannot be where the
   * family is known; for options, of which it has none.
   */
  async fromPretrained(folder: string, ...extra: readonly never[]): Promise<ModelConfig> {
    refuseArguments(extra, 'AutoConfig.fromPretrained(), beside the folder,')
    const config = await readConfig(folder)
    if (!Object.hasOwn(architectures, config.model_type)) return config
    const source = `${folder}/config.json`
    withProblemType(withOwnLabels(config, source, false), undefined, source)
    completeConfig(config, architectures[config.model_type]!.config, source)
    return config
  },
}
