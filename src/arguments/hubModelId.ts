import { isRepositoryId } from '../hub/ids'
import { shown } from '../options'

/** What is wrong with hubModelId, in a sentence; undefined if nothing. */
export function repositoryProblem(value: unknown): string | undefined {
  if (typeof value === 'string' && isRepositoryId(value)) return undefined
  return `hubModelId should be NAME or ORGANIZATION/NAME, of letters, digits and -_., but is ${shown(value)}.`
}
