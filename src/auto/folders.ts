import { refuseAdapter, refuseOtherKinds } from '../files/folderKinds'
import { isFolder, pathExists } from '../files/paths'
import { readJsonObject } from '../files/json'
import { TrainerError } from '../errors'
import type { ModelConfig } from '../models/config'

/** A folder by its path. @throws TrainerError when there is none, saying what a Hub id would need. */
export async function existingFolder(path: string): Promise<string> {
  if (await isFolder(path)) return path
  if (await pathExists(path))
    throw new TrainerError('file', `${path} is a file, not a folder.`, { fix: 'Give the folder that it lies in.' })
  const hubId = /^[\w.-]+(\/[\w.-]+)?$/.test(path)
  throw new TrainerError('file', `There is no folder "${path}".`, {
    fix: hubId
      ? 'Ids of the Hub are not fetched yet: download the repository first, and give its folder.'
      : 'Check the path.',
  })
}

/**
 * A folder's `config.json`.
 * @throws TrainerError when it is missing or does not name a model_type, and for a folder that is something else than a
 * model's: an adapter's, a dataset's, one of checkpoints.
 */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const path = `${await existingFolder(folder)}/config.json`
  await refuseAdapter(folder)
  if (!(await pathExists(path))) await refuseOtherKinds(folder)
  const config = await readJsonObject(path)
  if (typeof config.model_type !== 'string')
    throw new TrainerError('model', `${path} has no "model_type".`, {
      fix: 'Is this the folder of a Hugging Face model?',
    })
  return config as unknown as ModelConfig
}
