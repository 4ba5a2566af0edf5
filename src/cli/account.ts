import { parseArgs } from 'node:util'
import { type HubAccount, login, logout, TrainerError, whoami } from '../index'
import { askSecret, readSecret } from './askSecret'
import { exitCodes } from './exitCodes'
import { UsageError } from './flags'
import type { Streams } from './Streams'

const usages = {
  login: [
    'Usage: ts-trainer login [--token TOKEN]',
    '',
    'Keeps a token of the Hugging Face Hub for this machine, once the Hub has said',
    "whose it is: where Python's huggingface_hub keeps it (HF_TOKEN_PATH, else",
    'token in HF_HOME, which is ~/.cache/huggingface), for your user alone.',
    'Asks for the token, and does not show it; or reads it where it is piped in:',
    '',
    '  npx ts-trainer login < token.txt',
    '',
    "  --token TOKEN  the token itself, which then stands in the shell's history",
    '',
    'Where HF_TOKEN is set, it wins over the token that is kept.',
  ],
  logout: [
    'Usage: ts-trainer logout',
    '',
    "Removes the tokens of the Hugging Face Hub that this machine keeps, Python's",
    'too: they are the same.',
  ],
  whoami: [
    'Usage: ts-trainer whoami',
    '',
    'Says whose the token of the Hugging Face Hub is that would be sent (HF_TOKEN,',
    'else the one that login has kept), and the organizations of that account.',
    'Exit status 1 where there is none.',
  ],
} as const

/** `login`. @throws TrainerError (`argument`) for other words, and as login does. */
export async function runLogin(words: readonly string[], streams: Streams): Promise<number> {
  const options = parseWords('login', words, streams)
  if (options === undefined) return 0
  if (options.token !== undefined)
    streams.error("Note: a token in an argument stands in the shell's history; npx ts-trainer login asks for it.")
  const token = options.token ?? (await tokenFromInput())
  if (token === undefined) return exitCodes.interrupted
  if (token.trim() === '')
    throw new TrainerError('argument', 'No token was given.', {
      fix: `Make one on ${settingsPage()}, and type it or pipe it in.`,
    })
  const { name, auth } = await login({ token })
  const { displayName = 'of a browser', role = 'unknown' } = auth.accessToken ?? {}
  streams.out(`Logged in as ${name} (token: ${displayName}, permission: ${role}).`)
  return 0
}

/** `logout`. */
export async function runLogout(words: readonly string[], streams: Streams): Promise<number> {
  if (parseWords('logout', words, streams) === undefined) return 0
  const removed = await logout() // says so where a token of the environment stays
  const { HF_TOKEN: token, HUGGING_FACE_HUB_TOKEN: older } = process.env
  if (!token?.trim() && !older?.trim())
    streams.out(removed ? 'Logged out: the token is removed from this machine.' : 'No token was kept here.')
  return 0
}

/** `whoami`. */
export async function runWhoami(words: readonly string[], streams: Streams): Promise<number> {
  if (parseWords('whoami', words, streams) === undefined) return 0
  streams.out(formatAccount(await whoami()))
  return 0
}

function formatAccount({ name, orgs }: HubAccount): string {
  const endpoint = process.env['HF_ENDPOINT']?.trim()
  return [
    name,
    ...(orgs.length === 0 ? [] : [`organizations: ${orgs.map(org => org.name).join(', ')}`]),
    ...(endpoint ? [`endpoint: ${endpoint}`] : []),
  ].join('\n')
}

async function tokenFromInput(): Promise<string | undefined> {
  if (!process.stdin.isTTY) return readSecret()
  return askSecret(`A token from ${settingsPage()} (it is not shown): `)
}

function settingsPage(): string {
  const endpoint = process.env['HF_ENDPOINT']?.trim() || 'https://huggingface.co'
  return `${endpoint.replace(/\/+$/, '')}/settings/tokens`
}

/** undefined where the help was asked for, which is printed. */
function parseWords(
  command: keyof typeof usages,
  words: readonly string[],
  { out }: Streams,
): { readonly token?: string | undefined } | undefined {
  const options = { help: { type: 'boolean', short: 'h' }, token: { type: 'string' } } as const
  try {
    const { values } = parseArgs({ args: [...words], options })
    if (values.help === true) {
      out(usages[command].join('\n'))
      return undefined
    }
    if (command === 'login' || values.token === undefined) return values
  } catch {
    // what was written is not repeated: it may be a token
  }
  if (command === 'login')
    throw new UsageError("login takes no words: a token among them would stand in the shell's history.", {
      fix: 'Run npx ts-trainer login, which asks for it, or npx ts-trainer login < token.txt.',
    })
  throw new UsageError(`${command} takes no words.`, { fix: `ts-trainer ${command} --help says more.` })
}
