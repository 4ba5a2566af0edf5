import type { ModelConfig } from '../models/config'
import { readConfig } from './folders'

/** Configs of models. */
export const AutoConfig = {
  /** The config of a folder, as it stands there. @throws TrainerError when there is none. */
  fromPretrained: (folder: string): Promise<ModelConfig> => readConfig(folder),
}
