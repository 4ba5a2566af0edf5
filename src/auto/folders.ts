import { refuseAdapter, refuseOtherKinds } from '../files/folderKinds'
import { pathExists } from '../files/paths'
import { readJsonObject } from '../files/json'
import { TrainerError } from '../errors'
import type { ModelConfig } from '../models/config'

/**
 * A folder's `config.json`.
 * @throws TrainerError when it is missing or does not name a model_type, and for a folder that is something else than a
 * model's: an adapter's, a dataset's, one of checkpoints.
 */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const path = `${folder}/config.json`
  await refuseAdapter(folder)
  if (!(await pathExists(path))) await refuseOtherKinds(folder)
  const config = await readJsonObject(path)
  if (typeof config.model_type !== 'string')
    throw new TrainerError('model', `${path} has no "model_type".`, {
      fix: 'Is this the folder of a Hugging Face model?',
    })
  return config as unknown as ModelConfig
}
