// where a model was loaded from → what its card says of that
import { frontMatterOf } from '../files/frontMatter'
import { readText } from '../files/readFile'
import { openRepository } from '../hub/repository'
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
 * The base of a model; what cannot be found out of it is left out.
 * @param given its id, where the user gives it.
 * @param loaded what the model was loaded by: an id, or a path of this machine.
 * @param token for the Hub, where it is not the kept one.
 */
export async function baseModelOf(
  given: string | undefined,
  loaded: { readonly repository: string | undefined; readonly nameOrPath: string | undefined },
  token: string | undefined,
): Promise<BaseModel> {
  const id = given ?? loaded.repository
  const card = await (id === undefined ? cardIn(loaded.nameOrPath) : cardOf(id, token)).catch(() => undefined)
  return { id, license: card === undefined ? undefined : licenseOf(card) }
}

async function cardIn(folder: string | undefined): Promise<string | undefined> {
  return folder === undefined ? undefined : readText(`${folder}/README.md`)
}

/** The card of a model of the Hub, from the cache where that has it. */
async function cardOf(id: string, token: string | undefined): Promise<string | undefined> {
  const repository = await openRepository('model', id, { token })
  const hasCard = repository.files.some(({ path }) => path === 'README.md')
  return hasCard ? cardIn(await repository.fetch(['README.md'])) : undefined
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
