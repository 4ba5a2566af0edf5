// where a model was loaded from → what its card says of that
import { frontMatterOf } from '../files/frontMatter'
import { isFolder } from '../files/paths'
import { readText } from '../files/readFile'
import { isRepositoryId } from '../hub/repository'
import { listed } from './options'
import { readYaml } from './yaml'

/** The model that another was made of. */
export interface BaseModel {
  /** Its id on the Hub; undefined for a folder of this machine, which means nothing to others. */
  readonly id: string | undefined
  /** What its own card says. */
  readonly license: string | undefined
}

/**
 * The base of a model.
 * @param given its id, where the user gives it.
 * @param nameOrPath what the model was loaded by.
 */
export async function baseModelOf(given: string | undefined, nameOrPath: string | undefined): Promise<BaseModel> {
  const isLocal = nameOrPath !== undefined && (await isFolder(nameOrPath))
  const loaded = nameOrPath !== undefined && !isLocal && isRepositoryId(nameOrPath) ? nameOrPath : undefined
  const card = isLocal ? await readText(`${nameOrPath}/README.md`).catch(() => undefined) : undefined
  return { id: given ?? loaded, license: card === undefined ? undefined : licenseOf(card) }
}

/** The license that a card names: of several the last, as the Hub's tags are read in Python. */
function licenseOf(card: string): string | undefined {
  try {
    const license = readYaml(frontMatterOf(card) ?? '')['license']
    const named = Array.isArray(license) ? license : [license]
    return listed(named.filter(name => typeof name === 'string')).at(-1)
  } catch {
    return undefined // a card of somebody else
  }
}
