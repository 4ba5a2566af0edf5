import type { ModelConfig } from '../models/config'
import { readConfig } from './folders'
import {
  modelFromConfig,
  modelFromFolder,
  type ModelOptions,
  type PretrainedOptions,
  type PreTrainedModel,
} from './PreTrainedModel'

/** Models that give each text a class, several classes, or a number. */
export const AutoModelForSequenceClassification = {
  /**
   * A model of a folder's config and weights. Weights that the folder lacks (the head's, mostly) start at random, and a
   * warning names them.
   *
   * @example
   * const model = await AutoModelForSequenceClassification.fromPretrained('./all-MiniLM-L6-v2', { numLabels: 2 })
   * @throws TrainerError for a missing or broken file, a model_type that is not supported, or weights of another shape.
   */
  fromPretrained: async (folder: string, options: PretrainedOptions = {}): Promise<PreTrainedModel> =>
    modelFromFolder(folder, await readConfig(folder), options),

  /** A model of a config, all of whose weights start at random: a function of `seed`. */
  fromConfig: (config: ModelConfig, options: ModelOptions = {}): PreTrainedModel => modelFromConfig(config, options),
}
