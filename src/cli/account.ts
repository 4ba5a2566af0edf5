import { type HubAccount, login, logout, TrainerError, whoami } from '../index'
import { askSecret, readSecret } from './askSecret'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, type FlagValues, readFlags, UsageError } from './flags'
import type { Input, Streams } from './Streams'

const tables = {
  login: {
    name: 'login',
    usage: '[--token TOKEN]',
    about: [
      "Keeps a token of the Hugging Face Hub for this machine, once the Hub has said whose it is: where Python's huggingface_hub keeps it (HF_TOKEN_PATH, else token in HF_HOME, which is ~/.cache/huggingface), for your user alone. Asks for the token, and does not show it; or reads it where it is piped in. Where HF_TOKEN is set, it wins over the token that is kept.",
      '',
      '  npx ts-trainer login < token.txt',
    ],
    flags: {
      token: { type: 'text', value: 'TOKEN', help: "The token itself, which then stands in the shell's history." },
    },
  },
  logout: {
    name: 'logout',
    usage: '',
    about: ["Removes the tokens of the Hugging Face Hub that this machine keeps, Python's too: they are the same."],
    flags: {},
  },
  whoami: {
    name: 'whoami',
    usage: '',
    about: [
      'Says whose the token of the Hugging Face Hub is that would be sent (HF_TOKEN, else the one that login has kept), and the organizations of that account. Exit status 1 where there is none.',
    ],
    flags: {},
  },
} as const satisfies Readonly<Record<string, CommandTable<FlagTable>>>

/** `login`. @throws UsageError for other words, and as login does. */
export async function runLogin(words: readonly string[], streams: Streams): Promise<number> {
  const options = readWords(tables.login, words, streams)
  if (options === undefined) return exitCodes.done
  if (options.token !== undefined)
    streams.error("Note: a token in an argument stands in the shell's history; npx ts-trainer login asks for it.")
  const token = options.token ?? (await tokenFromInput(streams.input))
  if (token === undefined) return exitCodes.interrupted
  if (token.trim() === '')
    throw new TrainerError('argument', 'No token was given.', {
      fix: `Make one on ${settingsPage()}, and type it or pipe it in.`,
    })
  const { name, auth } = await login({ token })
  const { displayName = 'of a browser', role = 'unknown' } = auth.accessToken ?? {}
  streams.out(`Logged in as ${name} (token: ${displayName}, permission: ${role}).`)
  return exitCodes.done
}

/** `logout`. */
export async function runLogout(words: readonly string[], streams: Streams): Promise<number> {
  if (readWords(tables.logout, words, streams) === undefined) return exitCodes.done
  const removed = await logout() // says so where a token of the environment stays
  const { HF_TOKEN: token, HUGGING_FACE_HUB_TOKEN: older } = process.env
  if (!token?.trim() && !older?.trim())
    streams.out(removed ? 'Logged out: the token is removed from this machine.' : 'No token was kept here.')
  return exitCodes.done
}

/** `whoami`. */
export async function runWhoami(words: readonly string[], streams: Streams): Promise<number> {
  if (readWords(tables.whoami, words, streams) === undefined) return exitCodes.done
  streams.out(formatAccount(await whoami()))
  return exitCodes.done
}

function formatAccount({ name, orgs }: HubAccount): string {
  const endpoint = process.env['HF_ENDPOINT']?.trim()
  return [
    name,
    ...(orgs.length === 0 ? [] : [`organizations: ${orgs.map(org => org.name).join(', ')}`]),
    ...(endpoint ? [`endpoint: ${endpoint}`] : []),
  ].join('\n')
}

async function tokenFromInput(input: Input = process.stdin): Promise<string | undefined> {
  if (input.isTTY !== true) return readSecret(input)
  return askSecret(`A token from ${settingsPage()} (it is not shown): `)
}

function settingsPage(): string {
  const endpoint = process.env['HF_ENDPOINT']?.trim() || 'https://huggingface.co'
  return `${endpoint.replace(/\/+$/, '')}/settings/tokens`
}

/**
 * What the words say; undefined where the help was asked for, which is printed.
 * @throws UsageError, in which nothing that was written is repeated: it may be a token.
 */
function readWords<const F extends FlagTable>(
  table: CommandTable<F>,
  words: readonly string[],
  streams: Streams,
): FlagValues<F> | undefined {
  try {
    return readFlags(table, words, streams)?.values
  } catch {
    if (table.name === 'login')
      throw new UsageError("login takes no words: a token among them would stand in the shell's history.", {
        fix: 'Run npx ts-trainer login, which asks for it, or npx ts-trainer login < token.txt.',
      })
    throw new UsageError(`${table.name} takes no words.`, { fix: `npx ts-trainer ${table.name} --help says more.` })
  }
}
