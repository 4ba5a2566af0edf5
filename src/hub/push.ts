// pushToHub() of what saves itself: a model, a tokenizer
import { TrainerError } from '../errors'
import { inTemporaryFolder } from '../files/temporary'
import { checkFlag, checkOptions, shown } from '../options'
import { createRepository } from './createRepository'
import type { PushToHubOptions, PushedCommit } from './pushOptions'
import { uploadFolder } from './upload'

const optionNames = Object.keys({
  private: 1,
  commitMessage: 1,
  commitDescription: 1,
  token: 1,
  revision: 1,
  createPr: 1,
} satisfies Record<keyof PushToHubOptions, 1>)

/** What is pushed, and how it is called. */
export interface Pushed {
  /** What is called, for errors: `model.pushToHub()`. */
  readonly where: string
  /** The commit's message unless another is given. */
  readonly message: string
  /** Writes the files that are pushed. */
  save(folder: string): Promise<void>
}

/**
 * Makes a repository unless it is there, and pushes what saves itself to it.
 * @throws TrainerError ('argument') for options that there are not; ('hub') without a token that may write, and for what
 * the Hub refuses.
 */
export async function pushSaved(
  id: string,
  { where, message, save }: Pushed,
  options: PushToHubOptions = {},
): Promise<PushedCommit> {
  checkPushed(id, options, where)
  const { private: isPrivate, token, revision, createPr, commitMessage, commitDescription: description } = options
  const name = await createRepository('model', id, { private: isPrivate, token, readable: createPr })
  return inTemporaryFolder(async folder => {
    await save(folder)
    const how = { message: commitMessage ?? message, description, token, revision, createPr, showsProgress: true }
    const { oid, url, repoUrl, pullRequestUrl } = await uploadFolder('model', name, folder, how)
    return { oid, url, repoUrl, ...(pullRequestUrl !== undefined && { pullRequestUrl }) }
  })
}

/** @throws TrainerError ('argument') for what is no name, and for options that a push does not have. */
export function checkPushed(id: unknown, options: PushToHubOptions, where: string): void {
  if (typeof id !== 'string')
    throw new TrainerError('argument', `${where} takes the name of a repository, not ${shown(id)}.`, {
      fix: 'Give NAME, which is of your own namespace, or ORGANIZATION/NAME.',
    })
  checkOptions(options, optionNames, where)
  checkPushOptions(options, where)
}

/** @throws TrainerError ('argument') for an option of a push that is of another kind. */
export function checkPushOptions(options: PushToHubOptions, where: string): void {
  for (const name of ['private', 'createPr'] as const) checkFlag(options[name], name)
  for (const name of ['commitMessage', 'commitDescription', 'revision'] as const) {
    const value: unknown = options[name]
    if (value === undefined || (typeof value === 'string' && value !== '')) continue
    throw new TrainerError('argument', `${where}: ${name} is ${shown(value)}; a text was expected.`)
  }
  const { token } = options
  if (token === undefined || typeof token === 'string') return
  throw new TrainerError('argument', `${where}: token is no text.`, {
    fix: 'Leave it out for HF_TOKEN or what npx ts-trainer login has kept.',
  })
}
