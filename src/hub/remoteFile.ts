// parts of a file of the Hub, without the whole
import { TrainerError } from '../errors'
import type { SlicedFile } from '../files/readFile'
import { type Connection, isBroken, pauseBefore, tries } from './connection'
import { hubError, HubRefusal } from './errors'
import { askForFile, type FileAddress, piecesOf, StalledError } from './request'

/** A file whose parts are read by range requests. @throws TrainerError ('hub') when the Hub does not give them. */
export function remoteFile(connection: Connection, address: FileAddress, byteLength: number): SlicedFile {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const last = Math.min(end, byteLength)
      if (last <= start) return new ArrayBuffer(0)
      try {
        return await readRange(connection, address, start, last)
      } catch (error) {
        throw hubError(error, address)
      }
    },
    close: () => Promise.resolve(),
  }
}

/** The most bytes of one part: what a file says of its parts is not yet known to be true. */
const largestPart = 2 ** 31

/** The bytes from `start` to before `end`, asked for again from where an answer breaks off. */
async function readRange(
  connection: Connection,
  address: FileAddress,
  start: number,
  end: number,
): Promise<ArrayBuffer> {
  checkPart(address, end - start)
  const bytes = new Uint8Array(end - start)
  let filled = 0
  for (let attempt = 1; filled < bytes.length; attempt++) {
    try {
      const from = start + filled
      const { response, start: sent } = await askForFile(connection, address, { range: `bytes=${from}-${end - 1}` })
      if (!response.ok) throw new HubRefusal(response, connection.accessToken !== undefined)
      if (response.status !== 206 || sent !== from) {
        await response.body?.cancel()
        throw new TrainerError('hub', `${response.url.replace(/\?.*/s, '')} does not send parts of a file.`, {
          fix: 'Load it without streaming, so that the file is downloaded.',
        })
      }
      for await (const piece of piecesOf(response, connection.environment.downloadTimeout)) {
        const taken = piece.subarray(0, bytes.length - filled)
        bytes.set(taken, filled)
        filled += taken.length
        if (taken.length < piece.length) break
      }
      if (filled < bytes.length) throw new StalledError('the answer ended')
    } catch (error) {
      if (attempt >= tries || !(error instanceof StalledError || isBroken(error))) throw asTrainerError(error, address)
      await pauseBefore(attempt)
    }
  }
  return bytes.buffer
}

function asTrainerError(error: unknown, { path, kind, id }: FileAddress): unknown {
  const broken = isBroken(error) ? 'the connection broke' : undefined
  const reason = error instanceof StalledError ? error.message : broken
  if (reason === undefined) return error
  return new TrainerError('hub', `${path} of ${kind} "${id}" cannot be read: ${reason} (${tries} tries).`, {
    fix: 'Try again later.',
    cause: error,
  })
}

function checkPart(address: FileAddress, length: number): void {
  if (length > largestPart)
    throw new TrainerError(
      'hub',
      `A part of ${length} bytes of ${address.path} is asked for; at most ${largestPart} are read at once.`,
      {
        fix: 'Is the file broken? Load it without streaming, so that it is downloaded and checked.',
      },
    )
}
