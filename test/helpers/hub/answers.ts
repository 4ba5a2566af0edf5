/** What the loopback Hub says: an answer is a value, and a refusal is thrown with the headers the Hub's own have. */
import type { IncomingHttpHeaders } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export class Refusal extends Error {
  /** `code` is what the Hub puts into X-Error-Code; some of its refusals have none. */
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    message: string,
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value))
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body }
}

export function redirect(status: number, location: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { Location: location, ...headers }, body: new Uint8Array() }
}

export function answerOf({ status, code, message, more }: Refusal): Answer {
  const line = message.replace(/[^\x20-\x7e]+/g, ' ') // a header holds no more
  const headers = { ...(code === undefined ? {} : { 'X-Error-Code': code }), 'X-Error-Message': line }
  return json({ error: message, ...more }, status, headers)
}

/** The part of a file that a request asks for by its Range, If-Range and If-None-Match headers. */
export function fileAnswer(data: Uint8Array, asked: IncomingHttpHeaders, headers: Record<string, string>): Answer {
  const all: Record<string, string> = {
    'Content-Type': 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    ...headers,
  }
  if (asked['if-none-match'] === all.ETag) return { status: 304, headers: all, body: new Uint8Array() }
  const outdated = asked['if-range'] !== undefined && asked['if-range'] !== all.ETag
  const range = outdated ? null : /^bytes=(\d*)-(\d*)$/.exec(asked.range ?? '')
  if (range === null || (range[1] === '' && range[2] === '')) return { status: 200, headers: all, body: data }
  const [, first = '', last = ''] = range
  const begin = first === '' ? Math.max(0, data.length - Number(last)) : Number(first)
  const end = first === '' || last === '' ? data.length : Math.min(Number(last) + 1, data.length)
  if (begin >= end) {
    return { status: 416, headers: { ...all, 'Content-Range': `bytes */${data.length}` }, body: new Uint8Array() }
  }
  const span = { ...all, 'Content-Range': `bytes ${begin}-${end - 1}/${data.length}` }
  return { status: 206, headers: span, body: data.subarray(begin, end) }
}
