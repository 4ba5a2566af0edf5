import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { saveWeights } from '../../src/files/weights'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

/** The files of the tiny model's weights, in shards of that size. */
export async function savedWeights(maxShardSize: string): Promise<Record<string, Uint8Array>> {
  const folder = temporaryFolder()
  const names = await saveWeights(folder, tinyModel().parameters, { maxShardSize })
  return Object.fromEntries(names.map(name => [name, readFileSync(join(folder, name))]))
}
