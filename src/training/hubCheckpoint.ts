// the name of a checkpoint → its folder: of this machine, or fetched from the Hub
import { TrainerError } from '../errors'
import { checkpointStep } from '../files/checkpointNames'
import { readJsonObject } from '../files/json'
import { expandHome, isFolder } from '../files/paths'
import { fullId } from '../hub/createRepository'
import { openRepository, type Repository } from '../hub/repository'
import { log } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import { lastCheckpoint, repositoryName } from './pushing'

/**
 * The path of the checkpoint that is to be resumed: as it is given, where that is a folder. The names that `hubStrategy`
 * gives, 'last-checkpoint' and 'checkpoint-N', are looked for in `outputDir`, then in the repository that the arguments
 * name, from which the checkpoint is fetched.
 * @param args those of the Trainer, which name the repository.
 * @throws TrainerError ('file') for such a name where neither has it; ('hub') where the Hub cannot be asked.
 */
export async function locateCheckpoint(wanted: string, outputDir: string, args: TrainingArguments): Promise<string> {
  if (wanted !== lastCheckpoint && checkpointStep(wanted) === undefined) return wanted
  if (await isFolder(expandHome(wanted))) return wanted
  const here = `${outputDir.replace(/\/$/, '')}/${wanted}`
  if (await isFolder(here)) return here
  const strategy = wanted === lastCheckpoint ? 'checkpoint' : 'all_checkpoints'
  const fix = `Check the name. With hubStrategy '${strategy}' a run pushes it; hubModelId says where it is.`
  if (!args.pushToHub && args.hubModelId === undefined)
    throw new TrainerError('file', `There is no folder ${wanted}, nor ${here}, and no repository is named.`, { fix })
  return fetchCheckpoint(wanted, here, fix, args)
}

async function fetchCheckpoint(wanted: string, here: string, fix: string, args: TrainingArguments): Promise<string> {
  const { hubRevision: revision } = args
  const looked = `There is no folder ${wanted}, nor ${here}`
  const repository = await openOwn(args, looked)
  const { id, commit, files } = repository
  const paths = files.map(({ path }) => path).filter(path => path.startsWith(`${wanted}/`))
  if (paths.length === 0)
    throw new TrainerError(
      'file',
      `${looked}, and model "${id}" has none of that name either${revision === undefined ? '' : ` at "${revision}"`}.`,
      { fix },
    )
  const folder = `${await repository.fetch(paths)}/${wanted}`
  // what is missing or broken in it is said by who reads it
  const state = await readJsonObject(`${folder}/trainer_state.json`).catch(() => undefined)
  const step = state === undefined ? '' : `, which is at step ${String(state['global_step'])}`
  log(args.disableTqdm ? 'info' : 'warning', `Resuming from ${wanted} of model "${id}" at commit ${commit}${step}.`)
  return folder
}

/** Opens the repository that the arguments name. @param looked where else a checkpoint was looked for, for the error. */
async function openOwn(args: TrainingArguments, looked: string): Promise<Repository> {
  const { hubToken: token, hubRevision: revision } = args
  try {
    return await openRepository('model', await fullId('model', repositoryName(args), token), { token, revision })
  } catch (error) {
    if (!(error instanceof TrainerError) || error.code !== 'hub') throw error
    throw new TrainerError('hub', `${looked}, and none came from the Hub. ${error.problem}`, {
      ...(error.fix !== undefined && { fix: error.fix }),
      cause: error,
    })
  }
}
