// a folder as it is → a commit on the Hub
import { TrainerError } from '../errors'
import { checkpointStep, reportFile } from '../files/checkpointNames'
import { isFolder, lastNameOf, pathExists } from '../files/paths'
import { refuseArguments } from '../options'
import { createRepository } from './createRepository'
import { checkPushed } from './push'
import type { PushedCommit, PushToHubOptions } from './pushOptions'
import { filesBelow, uploadFiles } from './upload'

/**
 * Whether a file of a model's folder is pushed: no checkpoints, no names that begin with `_` (those with a dot never are),
 * and not the report, which has texts of the evaluation dataset.
 */
export function isPushedFile(path: string): boolean {
  return (
    path !== reportFile && !path.startsWith('_') && path.split('/').every(name => checkpointStep(name) === undefined)
  )
}

/**
 * Pushes the files of a folder to the Hub as they are, into a repository of a model that is made unless it is there:
 * Python's `upload_folder`. Checkpoints stay here, `report.html`, and names that
 * begin with `_` or a dot.
 * @param id ORGANIZATION/NAME, or NAME in the namespace of the token.
 * @param options by default the message is 'Upload' and the name of the folder.
 * @returns the commit.
 * @throws TrainerError ('file') for a folder that is not there or has no files; ('hub') without a token that may write
 * there, and for what the Hub refuses.
 *
 * @example
 * await pushFolderToHub('./out/model', 'acme/reviews', { private: true }) // after npx ts-trainer login
 */
export async function pushFolderToHub(
  folder: string,
  id: string,
  options: PushToHubOptions = {},
  ...extra: readonly never[]
): Promise<PushedCommit> {
  const where = 'pushFolderToHub()'
  refuseArguments(extra, `${where}, beside a folder, a name and its options,`)
  checkPushed(id, options, where)
  if (!(await isFolder(folder)))
    throw new TrainerError('file', `${folder} is ${(await pathExists(folder)) ? 'no folder' : 'not there'}.`, {
      fix: 'Give the folder that the model was saved in.',
    })
  const files = Object.entries(await filesBelow(folder)).filter(([path]) => isPushedFile(path))
  if (files.length === 0)
    throw new TrainerError('file', `${folder} has no files to push.`, {
      fix: 'Checkpoints, report.html and names that begin with _ or a dot are not pushed: give the folder of a checkpoint to push that.',
    })
  const { private: isPrivate, token, revision, createPr, commitMessage, commitDescription: description } = options
  const name = await createRepository('model', id, { private: isPrivate, token, readable: createPr })
  const message = commitMessage ?? `Upload ${lastNameOf(folder)}`
  const how = { message, description, token, revision, createPr, showsProgress: true }
  const { oid, url, repoUrl, pullRequestUrl } = await uploadFiles('model', name, Object.fromEntries(files), how)
  return { oid, url, repoUrl, ...(pullRequestUrl !== undefined && { pullRequestUrl }) }
}
