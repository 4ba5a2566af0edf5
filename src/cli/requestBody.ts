// the body of a request, of which no more is read than is allowed
import type { IncomingMessage } from 'node:http'

/** A refusal of a request: an HTTP status, what is wrong, and what to do. */
export class RequestError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** @throws RequestError (413) for a body that says that it is too large, before anything of it is read. */
export function checkLength({ headers }: IncomingMessage, most: number): void {
  if (Number(headers['content-length'] ?? 0) > most) throw tooLarge(most)
}

/** @throws RequestError (413) where the body turns out to be too large, (400) where it is cut off or not UTF-8. */
export async function readBody(request: IncomingMessage, most: number): Promise<string> {
  checkLength(request, most)
  const pieces: Buffer[] = []
  let length = 0
  await new Promise<void>((resolve, reject) => {
    request.on('data', (piece: Buffer) => {
      length += piece.length
      if (length <= most) pieces.push(piece)
      else {
        request.pause()
        reject(tooLarge(most))
      }
    })
    request.on('end', resolve)
    request.on('close', () => reject(new RequestError(400, 'The body was cut off.')))
    request.on('error', reject)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
  } catch {
    throw new RequestError(400, 'The body is not UTF-8.')
  }
}

function tooLarge(most: number): RequestError {
  return new RequestError(413, `The body is larger than ${most} bytes (--max-body). Send fewer texts at a time.`)
}
