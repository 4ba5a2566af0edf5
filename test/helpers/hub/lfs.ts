/** Git LFS on the loopback Hub: uploads in one piece, and in several where a file is large. */
import { createHash } from 'node:crypto'
import { json, Refusal, type Answer } from './answers'
import { sha256Of } from './repositories'
import type { Call, HubState, Place } from './state'

const multipartFrom = 10_000_000
const partSize = 5_000_000

interface LfsObject {
  readonly oid: string
  readonly size: number
}

interface Batch {
  readonly operation: string
  /** The branch; a pull request has none yet. */
  readonly ref?: { readonly name: string } | null
  readonly transfers?: readonly string[]
  readonly objects: readonly LfsObject[]
}

export function batch(hub: HubState, call: Call, place: Place): Answer {
  const asked = parsed(call) as Batch
  if (asked.operation !== 'upload') throw new Refusal(422, undefined, 'the loopback Hub has LFS uploads only')
  hub.writable(call, place, asked.ref === undefined || asked.ref === null)
  const inParts = ({ size }: LfsObject): boolean =>
    size > multipartFrom && (asked.transfers ?? []).includes('multipart')
  const objects = asked.objects.map(object => ({
    ...object,
    authenticated: true,
    ...(hub.objects.has(object.oid) ? {} : { actions: actions(hub, object, inParts(object)) }),
  }))
  const transfer = asked.objects.some(inParts) ? 'multipart' : 'basic'
  return json({ transfer, objects }, 200, { 'Content-Type': 'application/vnd.git-lfs+json' })
}

function actions(hub: HubState, object: LfsObject, inParts: boolean): object {
  const href = `${hub.url}/lfs/objects/${object.oid}`
  const upload = inParts ? multipart(hub, object) : { href }
  return { upload, verify: { href: `${href}/verify` } }
}

/** The addresses of the parts stand among the headers, by their numbers of five digits. */
function multipart(hub: HubState, { size }: LfsObject): object {
  const href = `${hub.url}/lfs/uploads/${hub.uploads.size + 1}`
  hub.uploads.set(String(hub.uploads.size + 1), new Map())
  const parts = Array.from({ length: Math.ceil(size / partSize) }, (_, at) => [
    String(at + 1).padStart(5, '0'),
    `${href}/${at + 1}`,
  ])
  return { href, header: { chunk_size: String(partSize), ...Object.fromEntries(parts) } }
}

export function put(hub: HubState, { body }: Call, { object }: Place): Answer {
  keep(hub, object, body)
  return json({}, 200, { ETag: `"${md5(body)}"` })
}

export function putPart(hub: HubState, { body }: Call, { object, path }: Place): Answer {
  upload(hub, object).set(Number(path), body)
  return json({}, 200, { ETag: `"${md5(body)}"` })
}

export function complete(hub: HubState, call: Call, { object }: Place): Answer {
  const asked = parsed(call) as { oid: string; parts: readonly { partNumber: number; etag: string }[] }
  const there = upload(hub, object)
  const parts = asked.parts.map(({ partNumber, etag }) => {
    const part = there.get(partNumber)
    if (part === undefined || etag !== `"${md5(part)}"`) {
      throw new Refusal(400, undefined, `part ${partNumber} was not uploaded, or has another ETag`)
    }
    return part
  })
  keep(hub, asked.oid, Buffer.concat(parts))
  there.clear()
  return json({ success: true })
}

export function verify(hub: HubState, _: Call, { object }: Place): Answer {
  if (!hub.objects.has(object)) throw new Refusal(404, undefined, 'no such object')
  return json({})
}

function keep(hub: HubState, oid: string, data: Uint8Array): void {
  if (sha256Of(data) !== oid) throw new Refusal(400, undefined, 'the content has another sha256')
  hub.objects.set(oid, data)
}

function upload(hub: HubState, number: string): Map<number, Uint8Array> {
  const parts = hub.uploads.get(number)
  if (parts === undefined) throw new Refusal(404, undefined, 'no such upload')
  return parts
}

function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex')
}

function parsed({ body }: Call): unknown {
  return JSON.parse(Buffer.from(body).toString())
}
