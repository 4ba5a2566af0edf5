/** The endpoints of the loopback Hub that read. */
import { basename } from 'node:path'
import { fileAnswer, json, redirect, Refusal, type Answer } from './answers'
import type { Commit, Repository, StoredFile } from './repositories'
import type { Call, HubState, Place } from './state'

export function whoAmI(_: HubState, { account }: Call): Answer {
  if (account === undefined) throw new Refusal(401, undefined, 'Invalid username or password.')
  const orgs = (account.orgs ?? []).map(name => ({ type: 'org', id: '1'.repeat(24), name, fullname: name }))
  const createdAt = '2026-01-01T00:00:00.000Z'
  const accessToken = { displayName: 'loopback', role: account.role ?? 'write', createdAt }
  return json({
    type: 'user',
    id: '0'.repeat(24),
    name: account.name,
    fullname: account.name,
    email: `${account.name}@localhost`,
    emailVerified: true,
    canPay: false,
    isPro: false,
    periodEnd: null,
    avatarUrl: '',
    orgs,
    auth: { type: 'access_token', accessToken },
  })
}

export function information(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.readable(call, place)
  const { oid, files, date } = repository.at(place.revision || 'main')
  const siblings = sorted(files).map(([rfilename, file]) =>
    call.query.has('blobs') ? { rfilename, size: file.data.length, blobId: file.oid, ...lfs(file) } : { rfilename },
  )
  return json({
    _id: '0'.repeat(24),
    id: repository.id,
    ...(repository.kind === 'model' ? { modelId: repository.id } : {}),
    author: repository.namespace,
    sha: oid,
    private: repository.settings.private ?? false,
    gated: repository.settings.gated === true ? 'manual' : false,
    disabled: false,
    downloads: 0,
    likes: 0,
    tags: [],
    createdAt: repository.history().at(-1)?.date ?? date,
    lastModified: date,
    siblings,
  })
}

export function tree(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.readable(call, place)
  const commit = repository.at(place.revision)
  const folder = place.path === '' ? '' : `${place.path.replace(/\/+$/, '')}/`
  const recursive = isTrue(call.query.get('recursive'))
  const paths = pathsBelow(folder, commit, recursive)
  if (paths.length === 0 && folder !== '') {
    throw new Refusal(404, 'EntryNotFound', `${place.path} does not exist on "${place.revision}"`)
  }
  const limit = Number(call.query.get('limit') ?? 1000)
  const from = Number(call.query.get('cursor') ?? 0)
  const expand = isTrue(call.query.get('expand'))
  const page = paths.slice(from, from + limit).map(path => entry(repository, commit, path, expand))
  if (from + limit >= paths.length) return json(page)
  const next = new URL(call.path, hub.url)
  next.searchParams.set('cursor', String(from + limit))
  return json(page, 200, { Link: `<${next.href}>; rel="next"` })
}

/** The files and folders of a folder, those of its folders too where `recursive`. */
function pathsBelow(folder: string, { files }: Commit, recursive: boolean): string[] {
  const found = new Set<string>()
  for (const path of files.keys()) {
    if (!path.startsWith(folder)) continue
    const parts = path.slice(folder.length).split('/')
    const depth = recursive ? parts.length : 1
    for (let length = 1; length <= depth; length++) found.add(folder + parts.slice(0, length).join('/'))
  }
  return [...found].sort()
}

export function pathsInfo(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.readable(call, place)
  const commit = repository.at(place.revision)
  const { paths, expand } = askedPaths(call)
  const there = paths.filter(path => commit.files.has(path) || pathsBelow(`${path}/`, commit, false).length > 0)
  return json(there.map(path => entry(repository, commit, path, expand)))
}

/** @huggingface/hub sends JSON, Python's huggingface_hub a form. */
function askedPaths({ body, headers }: Call): { readonly paths: string[]; readonly expand: boolean } {
  const text = Buffer.from(body).toString()
  if (headers['content-type']?.includes('json') === true) {
    const asked = JSON.parse(text) as { paths: string[]; expand?: boolean }
    return { paths: asked.paths, expand: asked.expand === true }
  }
  const form = new URLSearchParams(text)
  return { paths: form.getAll('paths'), expand: isTrue(form.get('expand')) }
}

function entry(repository: Repository, commit: Commit, path: string, expand: boolean): object {
  const file = commit.files.get(path)
  const last = expand ? { lastCommit: lastCommit(repository, commit, path) } : {}
  if (file === undefined) return { type: 'directory', path, size: 0, oid: '0'.repeat(40), ...last }
  const security = expand ? { securityFileStatus: { status: 'safe' } } : {}
  return { type: 'file', path, size: file.data.length, oid: file.oid, ...lfs(file), ...last, ...security }
}

function lfs({ pointer, sha256, data }: StoredFile): object {
  return pointer === undefined ? {} : { lfs: { oid: sha256, sha256, size: data.length, pointerSize: pointer.length } }
}

function lastCommit(repository: Repository, commit: Commit, path: string): object {
  const touched = repository
    .history(commit.oid)
    .find(({ paths }) => paths.some(one => one === path || one.startsWith(`${path}/`)))
  const { oid, message, date } = touched ?? commit
  return { id: oid, title: message, date }
}

export function resolve(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.open(call, place)
  const { oid, file } = fileAt(repository, place)
  const tag = file.pointer === undefined ? file.oid : file.sha256
  const headers = { 'X-Repo-Commit': oid, ETag: `"${tag}"`, 'Content-Disposition': disposition(place.path) }
  if (file.pointer === undefined) return fileAnswer(file.data, call.headers, headers)
  const linked = { ...headers, 'X-Linked-Etag': `"${tag}"`, 'X-Linked-Size': String(file.data.length) }
  if (repository.settings.cdn !== true) return fileAnswer(file.data, call.headers, linked)
  const query = new URLSearchParams({ 'response-content-disposition': disposition(place.path), Signature: 'loopback' })
  return redirect(302, `${hub.otherUrl}/cdn/${file.sha256}?${query}`, linked)
}

/** What stands in git: of an LFS file its pointer. */
export function raw(hub: HubState, call: Call, place: Place): Answer {
  const { oid, file } = fileAt(hub.open(call, place), place)
  return fileAnswer(file.pointer ?? file.data, call.headers, { 'X-Repo-Commit': oid, ETag: `"${file.oid}"` })
}

export function cdn(hub: HubState, call: Call, { object }: Place): Answer {
  const data = hub.objects.get(object)
  if (data === undefined) throw new Refusal(404, undefined, 'no such object')
  return fileAnswer(data, call.headers, { ETag: `"${object}"` })
}

export function references(hub: HubState, call: Call, place: Place): Answer {
  const all = [...hub.readable(call, place).branches]
  const special = (prefix: string): object[] =>
    all
      .filter(([name]) => name.startsWith(prefix))
      .map(([ref, targetCommit]) => ({ name: ref.slice(prefix.length), ref, targetCommit }))
  const branches = all
    .filter(([name]) => !name.startsWith('refs/'))
    .map(([name, targetCommit]) => ({ name, ref: `refs/heads/${name}`, targetCommit }))
  return json({ branches, tags: [], converts: special('refs/convert/'), pullRequests: special('refs/pr/') })
}

export function commits(hub: HubState, call: Call, place: Place): Answer {
  const repository = hub.readable(call, place)
  const history = repository.history(repository.at(place.revision).oid)
  return json(history.map(({ oid, message, date }) => ({ id: oid, title: message, message: '', date, authors: [] })))
}

function fileAt(
  repository: Repository,
  { revision, path }: Place,
): { readonly oid: string; readonly file: StoredFile } {
  const { oid, files } = repository.at(revision)
  const file = files.get(path)
  if (file === undefined) throw new Refusal(404, 'EntryNotFound', 'Entry not found')
  return { oid, file }
}

function disposition(path: string): string {
  return `inline; filename*=UTF-8''${encodeURIComponent(basename(path))}`
}

function sorted(files: ReadonlyMap<string, StoredFile>): [string, StoredFile][] {
  return [...files].sort(([one], [other]) => (one < other ? -1 : 1))
}

/** Python writes its truths with a capital. */
function isTrue(value: string | null): boolean {
  return value?.toLowerCase() === 'true' || value === '1'
}
