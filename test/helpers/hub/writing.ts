/** The endpoints of the loopback Hub that write. */
import { json, Refusal, type Answer } from './answers'
import { isLarge, storedFile, type Repository, type StoredFile } from './repositories'
import { mayWrite, type Call, type HubState, type Place } from './state'

interface Creation {
  readonly type?: string
  readonly name: string
  readonly organization?: string | null
  readonly private?: boolean
  readonly visibility?: string
  readonly files?: readonly { readonly path: string; readonly content: string }[]
}

export function create(hub: HubState, call: Call): Answer {
  const { account } = call
  if (account === undefined) throw new Refusal(401, undefined, 'Invalid username or password.')
  const asked = JSON.parse(text(call)) as Creation
  const kind = asked.type === 'dataset' ? 'dataset' : 'model'
  const namespace = asked.organization ?? account.name
  if (!mayWrite(account, namespace)) {
    const denied = `You don't have the rights to create a ${kind} under the namespace "${namespace}"`
    throw new Refusal(403, undefined, denied)
  }
  if (!/^[\w.-]{1,96}$/.test(asked.name)) throw new Refusal(400, undefined, `Invalid repo name: ${asked.name}`)
  const id = `${namespace}/${asked.name}`
  const there = hub.find(kind, id)
  if (there !== undefined) {
    throw new Refusal(409, undefined, `You already created this ${kind} repo`, { url: `${hub.url}/${there.page}` })
  }
  const hidden = asked.private === true || asked.visibility === 'private'
  const repository = hub.make(kind, id, { private: hidden })
  const given = (asked.files ?? []).map(({ path, content }) => [path, decoded(content)] as const)
  const attributes = Buffer.from('*.safetensors filter=lfs diff=lfs merge=lfs -text\n')
  const files = new Map<string, Uint8Array>([['.gitattributes', attributes], ...given])
  repository.commit(
    'main',
    new Map([...files].map(([path, data]) => [path, storedFile(data, false)])),
    'initial commit',
  )
  return json({ url: `${hub.url}/${repository.page}`, name: id, id })
}

/** Says of each file whether it goes into the commit or to LFS. */
export function preupload(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.writable(call, place)
  repository.at(place.revision)
  const { files } = JSON.parse(text(call)) as { files: readonly { path: string; size?: number }[] }
  const modes = files.map(({ path, size = 0 }) => {
    const uploadMode = isLarge(path, size) ? 'lfs' : 'regular'
    return { path, uploadMode, shouldIgnore: false, oid: repository.find(place.revision)?.files.get(path)?.oid ?? null }
  })
  return json({ files: modes })
}

interface Header {
  readonly summary?: string
  readonly parentCommit?: string
}

interface Entry {
  readonly path: string
  readonly content?: string
  readonly encoding?: string
  readonly oid?: string
}

/** A line of a commit; the first is its header. */
interface Line {
  readonly key: string
  readonly value: Header & Entry
}

export function commit(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.writable(call, place)
  const lines = text(call).split('\n').filter(Boolean)
  const operations = lines.map(line => JSON.parse(line) as Line)
  const header: Header = operations.find(({ key }) => key === 'header')?.value ?? {}
  const branch = place.revision === 'HEAD' ? 'main' : place.revision
  const pullRequest = call.query.get('create_pr') === '1'
  const parent = parentOf(repository, branch, header, pullRequest)
  const files = new Map(repository.at(parent).files)
  for (const operation of operations) apply(hub, files, operation)
  const number = pullRequest ? repository.nextPullRequest() : 0
  const target = pullRequest ? `refs/pr/${number}` : branch
  const { oid } = repository.commit(target, files, header.summary ?? '', parent)
  const page = `${hub.url}/${repository.page}`
  const request = pullRequest ? { pullRequestUrl: `${page}/discussions/${number}` } : {}
  return json({ success: true, commitOid: oid, commitUrl: `${page}/commit/${oid}`, hookOutput: '', ...request })
}

/** What a commit follows: the head of its branch, or for a pull request any commit. */
function parentOf(repository: Repository, branch: string, { parentCommit }: Header, pullRequest: boolean): string {
  if (pullRequest) return repository.at(parentCommit ?? branch).oid
  const head = repository.branches.get(branch)
  if (head === undefined) throw new Refusal(404, 'RevisionNotFound', `Invalid rev id: ${branch}`)
  if (parentCommit !== undefined && parentCommit !== head) {
    throw new Refusal(412, undefined, 'A commit has happened since. Please refresh and try again.')
  }
  return head
}

function apply(hub: HubState, files: Map<string, StoredFile>, { key, value }: Line): void {
  const { path, content = '', encoding, oid = '' } = value
  if (key === 'file') {
    const data = encoding === 'utf-8' ? Buffer.from(content) : decoded(content)
    const wrong = path === 'README.md' ? cardError(data.toString()) : undefined
    if (wrong !== undefined) throw new Refusal(400, undefined, `Invalid metadata in README.md.\n- ${wrong}`)
    files.set(path, storedFile(data, false))
  } else if (key === 'lfsFile') {
    const data = hub.objects.get(oid)
    if (data === undefined) throw new Refusal(400, undefined, `LFS object ${oid} of ${path} was not uploaded`)
    files.set(path, storedFile(data, true))
  } else if (key === 'deletedFile' || key === 'deletedEntry') files.delete(path)
  else if (key === 'deletedFolder') {
    const folder = `${path.replace(/\/+$/, '')}/`
    for (const one of [...files.keys()].filter(one => one.startsWith(folder))) files.delete(one)
  }
}

/** What the Hub would not take in the metadata that stands before a card. */
function cardError(card: string): string | undefined {
  if (!/^---\r?\n/.test(card)) return undefined
  const metadata = /^---\r?\n([^]*?)(?:^|\n)---[ \t]*(?:\r?\n|$)/.exec(card)?.[1]
  if (metadata === undefined) return 'the YAML metadata does not end'
  const license = /^license:[ \t]*(.*?)[ \t]*(?:#.*)?\r?$/m.exec(metadata)?.[1]
  if (license === undefined || /^(?:"[^"]*"|'[^']*')$/.test(license)) return undefined
  const other = /^(?:|~|null|true|false|yes|no|[-+]?[\d.]+(?:e[-+]?\d+)?|[[{].*)$/i.test(license)
  return other ? '"license" must be a string' : undefined
}

export function validateYaml(_: HubState, call: Call): Answer {
  const { content } = JSON.parse(text(call)) as { content: string }
  const wrong = cardError(content)
  return json(
    { errors: wrong === undefined ? [] : [{ message: wrong }], warnings: [] },
    wrong === undefined ? 200 : 400,
  )
}

interface NewBranch {
  readonly startingPoint?: string
  readonly emptyBranch?: boolean
  readonly overwrite?: boolean
}

export function createBranch(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.writable(call, place)
  const asked = JSON.parse(text(call) || '{}') as NewBranch
  const there = repository.branches.has(place.revision)
  if (there && asked.overwrite !== true) throw new Refusal(409, undefined, 'Reference already exists')
  if (asked.emptyBranch === true) {
    repository.branches.delete(place.revision)
    repository.commit(place.revision, new Map(), 'initial commit')
  } else if (!there || asked.startingPoint !== undefined) {
    repository.branches.set(place.revision, repository.at(asked.startingPoint ?? 'main').oid)
  }
  return json({})
}

function decoded(content: string): Buffer {
  return Buffer.from(content, 'base64')
}

function text({ body }: Call): string {
  return Buffer.from(body).toString()
}
