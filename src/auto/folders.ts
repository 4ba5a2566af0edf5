import { isFolder } from '../files/paths'
import { readJsonObject } from '../files/json'
import { TrainerError } from '../errors'
import type { ModelConfig } from '../models/config'

/** A folder by its path. @throws TrainerError when there is none, saying what a Hub id would need. */
export async function existingFolder(path: string): Promise<string> {
  if (await isFolder(path)) return path
  const hubId = /^[\w.-]+(\/[\w.-]+)?$/.test(path)
  throw new TrainerError('file', `There is no folder "${path}".`, {
    fix: hubId
      ? 'Ids of the Hub are not fetched yet: download the repository first, and give its folder.'
      : 'Check the path.',
  })
}

/** A folder's `config.json`. @throws TrainerError when it is missing or does not name a model_type. */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const path = `${await existingFolder(folder)}/config.json`
  const config = await readJsonObject(path)
  if (typeof config.model_type !== 'string')
    throw new TrainerError('model', `${path} has no "model_type".`, {
      fix: 'Is this the folder of a Hugging Face model?',
    })
  return config as unknown as ModelConfig
}
