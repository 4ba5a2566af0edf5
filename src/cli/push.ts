// a folder → the Hugging Face Hub
import { pushFolderToHub, type PushToHubOptions } from '../index'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, readFlags, UsageError } from './flags'
import type { Streams } from './Streams'

const table = {
  name: 'push',
  usage: 'FOLDER [ORGANIZATION/]NAME [FLAGS]',
  about: [
    "Pushes a model's folder to the Hugging Face Hub as it is, in one commit, into a repository that is made unless it is there; checkpoints stay here, report.html (it has texts of the evaluation), and names that begin with _ or a dot. Prints the page of the commit. The token is the one of HF_TOKEN, else that of npx ts-trainer login.",
    '',
    '  npx ts-trainer push out/reviews acme/reviews --private',
  ],
  words: 2,
  flags: {
    private: { type: 'switch', help: 'A new repository is private. By default what its namespace has.' },
    message: { type: 'text', value: 'TEXT', help: "The commit's title. By default Upload and the folder's name." },
    description: { type: 'text', value: 'TEXT', help: 'What is said below the title.' },
    revision: { type: 'text', value: 'BRANCH', help: 'A branch, which is made if it is missing. By default main.' },
    'create-pr': { type: 'switch', help: 'Opens a pull request in place of a commit.' },
  },
} as const satisfies CommandTable<FlagTable>

/** `ts-trainer push`. */
export async function runPush(words: readonly string[], streams: Streams): Promise<number> {
  const given = readFlags(table, words, streams)
  if (given === undefined) return exitCodes.done
  const { values, rest } = given
  const [folder, id] = rest
  if (folder === undefined || id === undefined)
    throw new UsageError(
      `push needs a folder and the name of a repository${folder === undefined ? '' : ` for ${folder}`}.`,
      {
        fix: 'npx ts-trainer push out/model ORGANIZATION/NAME',
      },
    )
  const options: PushToHubOptions = {
    ...(values.private && { private: true }),
    ...(values['create-pr'] && { createPr: true }),
    commitMessage: values.message,
    commitDescription: values.description,
    revision: values.revision,
  }
  const { url, pullRequestUrl } = await pushFolderToHub(folder, id, options)
  await streams.out(pullRequestUrl ?? url)
  return exitCodes.done
}
