import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { expandHome } from '../files/paths'
import { TrainerError } from '../errors'

/** An opened address: its bytes, and their number if that is known. */
export interface Opened {
  readonly url: URL
  readonly type: string
  readonly size: number | undefined
  readonly body: AsyncIterable<Uint8Array>
}

/** The largest page that is read: more than any project needs. */
const pageLimit = 20_000_000

const accepted = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1'

/**
 * The address of a project's file in an index: PEP 691's JSON, else PEP 503's HTML. The index's hash is ignored: the
 * caller has its own.
 * @throws TrainerError (`file`) when the index cannot be read or has no such file.
 */
export async function findInIndex(index: string, project: string, file: string): Promise<URL> {
  const base = parseAddress(index)
  const page = new URL(base)
  page.pathname = `${base.pathname.replace(/\/+$/, '')}/${project}/`
  const opened = await openUrl(page, accepted)
  const text = await readPage(opened)
  const links = opened.type.includes('json') ? linksOfJson(text, shownUrl(page)) : linksOfHtml(text)
  const found = links.flatMap(link => resolveLink(link, opened.url) ?? []).find(url => fileNameOf(url) === file)
  if (found === undefined) throw new TrainerError('file', `${shownUrl(page)} has no ${file}.`)
  if (found.protocol === 'file:' && page.protocol !== 'file:')
    throw new TrainerError('file', `${shownUrl(page)} names a file of this machine.`)
  found.hash = ''
  if (found.origin === page.origin && found.username === '') {
    found.username = page.username
    found.password = page.password
  }
  return found
}

/**
 * Opens an http, https or file address. Credentials in it are sent in a header, to that host only.
 * @throws TrainerError (`file`) when it cannot be opened.
 */
export async function openUrl(url: URL, accept = '*/*'): Promise<Opened> {
  if (url.protocol === 'file:') return openFile(url)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TrainerError('file', `${shownUrl(url)} is neither http, https nor file.`)
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  const headers: Record<string, string> = { accept }
  if (url.username !== '' || url.password !== '') {
    headers['authorization'] =
      `Basic ${Buffer.from(`${unescaped(url.username)}:${unescaped(url.password)}`).toString('base64')}`
  }
  const response = await fetch(bare, { headers }).catch((cause: unknown) => {
    throw new TrainerError('file', `Cannot reach ${shownUrl(url)}: ${reasonOf(cause)}.`)
  })
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw new TrainerError(
      'file',
      `${shownUrl(url)} answers ${response.status}${response.statusText && ` (${response.statusText})`}.`,
    )
  }
  // fetch decodes the body: then the length is not that of the bytes to come
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length')
  return {
    url: new URL(response.url),
    type: response.headers.get('content-type') ?? '',
    size: length === null ? undefined : Number(length),
    body: guarded(response.body, url),
  }
}

/** An address for messages: without credentials, and without the query, which may hold credentials too. */
export function shownUrl(url: URL): string {
  return url.protocol === 'file:' ? url.href : `${url.protocol}//${url.host}${url.pathname}`
}

function parseAddress(index: string): URL {
  if (/^([/\\.~]|[a-z]:[\\/])/i.test(index)) return pathToFileURL(expandHome(index))
  if (URL.canParse(index)) return new URL(index)
  throw new TrainerError('argument', `'${index.replace(/\/\/.*@/, '//')}' is not the address of a package index.`, {
    fix: 'Write it like https://pypi.org/simple.',
  })
}

async function openFile(url: URL): Promise<Opened> {
  const given = fileURLToPath(url)
  const found = await stat(given).catch(() => undefined)
  const path = found?.isDirectory() ? join(given, 'index.html') : given
  const size = found?.isDirectory() ? (await stat(path).catch(() => undefined))?.size : found?.size
  if (size === undefined) throw new TrainerError('file', `There is no file ${path}.`)
  return {
    url,
    type: path.endsWith('.json') ? 'application/json' : 'text/html',
    size,
    body: guarded(createReadStream(path), url),
  }
}

async function* guarded(body: AsyncIterable<Uint8Array>, url: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw new TrainerError('file', `${shownUrl(url)} broke off: ${reasonOf(cause)}.`)
  }
}

async function readPage({ url, body }: Opened): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > pageLimit) throw new TrainerError('file', `${shownUrl(url)} has more than ${pageLimit} bytes.`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function linksOfJson(text: string, where: string): string[] {
  try {
    const { files } = JSON.parse(text) as { files: readonly { url: unknown }[] }
    return files.map(({ url }) => String(url))
  } catch {
    throw new TrainerError('file', `${where} is not the JSON of a package index.`)
  }
}

/** The targets of anchors. The gaps in the pattern are bounded, so that no page takes long. */
function linksOfHtml(text: string): string[] {
  return [...text.matchAll(/<a\s[^<>]{0,4000}?\bhref\s{0,9}=\s{0,9}(?:"([^"<>]{0,4000})"|'([^'<>]{0,4000})')/gi)].map(
    ([, double, single]) => (double ?? single ?? '').replaceAll('&amp;', '&').trim(),
  )
}

function resolveLink(link: string, base: URL): URL | undefined {
  return URL.canParse(link, base.href) ? new URL(link, base) : undefined
}

function fileNameOf(url: URL): string {
  return unescaped(url.pathname.slice(url.pathname.lastIndexOf('/') + 1))
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `fetch` has the reason in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string }
  return [cause?.code, cause?.message].find(text => text !== undefined && text !== '') ?? message ?? String(error)
}
