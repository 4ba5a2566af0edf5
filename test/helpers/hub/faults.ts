/** What goes wrong on request: the loopback Hub can be as bad as a network. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'
import { json, type Answer } from './answers'

/** Without `times` a fault holds until it is cleared. `cut`, `lie` and `flip` wait for a body they can spoil. */
export interface Fault {
  /** Answered in place of what was asked for. */
  readonly status?: number
  /** Seconds, as the header Retry-After; without `status` that of an answer 429. */
  readonly retryAfter?: number
  /** The connection ends after so many bytes of the body. */
  readonly cut?: number
  /** Content-Length says so many bytes more than there are. */
  readonly lie?: number
  /** Milliseconds before the answer. */
  readonly delay?: number
  /** One byte of the body, its middle one, is wrong. */
  readonly flip?: boolean
  /** How many requests it meets. */
  readonly times?: number
  /** A part of the path (with query) of the requests it meets. */
  readonly match?: string | RegExp
  readonly method?: string
}

export class Faults {
  private readonly pending: { readonly fault: Fault; left: number }[] = []

  add(fault: Fault): void {
    this.pending.push({ fault, left: fault.times ?? Infinity })
  }

  clear(): void {
    this.pending.length = 0
  }

  /** Waits where a fault says so, and gives the answer that stands in place of the right one, if any. */
  async before(method: string, path: string): Promise<Answer | undefined> {
    const met = this.take(method, path, fault => 'delay' in fault || 'status' in fault || 'retryAfter' in fault)
    const delay = met.reduce((sum, fault) => sum + (fault.delay ?? 0), 0)
    if (delay > 0) await pause(delay, undefined, { ref: false })
    const refusing = met.find(fault => fault.status !== undefined || fault.retryAfter !== undefined)
    if (refusing === undefined) return undefined
    const status = refusing.status ?? 429
    const after: Record<string, string> =
      refusing.retryAfter === undefined ? {} : { 'Retry-After': String(refusing.retryAfter) }
    return json({ error: `a fault on request: ${status}` }, status, after)
  }

  /** Sends an answer, spoiled where a fault says so. */
  send(method: string, path: string, answer: Answer, response: ServerResponse): void {
    const length = answer.body.length
    const met = this.take(method, path, fault => spoils(fault, method, length))
    const lie = met.reduce((sum, fault) => sum + (fault.lie ?? 0), 0)
    const cut = Math.min(...met.map(fault => fault.cut ?? Infinity))
    const body = met.some(fault => fault.flip === true) ? flipped(answer.body) : answer.body
    const sized = answer.status === 304 ? {} : { 'Content-Length': String(length + lie) }
    response.writeHead(answer.status, { ...answer.headers, ...sized })
    if (method === 'HEAD') response.end()
    else if (lie === 0 && cut === Infinity) response.end(body)
    else {
      response.flushHeaders()
      response.write(body.subarray(0, Math.min(cut, length)))
      response.socket?.destroySoon() // what was written still arrives
    }
  }

  /** The faults that meet a request, counted down. */
  private take(method: string, path: string, concerned: (fault: Fault) => boolean): Fault[] {
    const met = this.pending.filter(({ fault }) => concerned(fault) && meets(fault, method, path))
    for (const one of met) one.left--
    for (const one of met.filter(({ left }) => left <= 0)) this.pending.splice(this.pending.indexOf(one), 1)
    return met.map(({ fault }) => fault)
  }
}

function meets({ match = '', method }: Fault, asked: string, path: string): boolean {
  const matches = typeof match === 'string' ? path.includes(match) : path.search(match) >= 0
  return matches && (method === undefined || method === asked)
}

/** A client's question of one byte, asked for the size of a file, is let through: its body is not read. */
function spoils({ cut, lie, flip, method }: Fault, asked: string, length: number): boolean {
  if (asked === 'HEAD') return lie !== undefined && method === 'HEAD'
  if (cut !== undefined && cut < length) return true
  return length > 1 && (lie !== undefined || flip === true)
}

function flipped(body: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(body)
  const middle = copy.length >> 1
  copy[middle] = copy[middle]! ^ 1
  return copy
}
