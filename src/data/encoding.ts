// bytes of a file → text
import { TrainerError } from '../errors'

/**
 * The text of a file's bytes.
 * @param encoding its name, as Python or the web spell it; by default UTF-8, or UTF-16 where a byte order mark says so.
 * @throws TrainerError (`file`) naming the first line that is in another encoding, (`argument`) for an unknown encoding.
 */
export function decodeText(file: string, bytes: Uint8Array, encoding?: string): string {
  const name = encoding === undefined ? markedEncoding(bytes) : webName(encoding, bytes)
  if (name === 'latin1') return decodeLatin1(bytes)
  if (encoding === undefined && name === 'utf-8') refuseUnmarkedUtf16(file, bytes)
  const decoder = decoderOf(name, encoding ?? name)
  if (decoder.encoding === 'windows-1252') return decodeWindows1252(bytes)
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_STRING_TOO_LONG') throw tooLong(file, cause)
    const said = encoding === undefined ? 'UTF-8' : encoding
    const at = name === 'utf-8' ? `: see line ${undecodableLine(bytes)}` : ''
    throw new TrainerError('file', `${file} is not ${said}${at}.`, {
      fix: "Name its encoding, for instance encoding: 'latin1', or save it as UTF-8: iconv -f latin1 -t utf-8.",
      cause,
    })
  }
}

function tooLong(file: string, cause: unknown): TrainerError {
  return new TrainerError('file', `${file} is longer than the longest text of JavaScript, some 537 million letters.`, {
    fix: 'Split it, or write it as parquet.',
    cause,
  })
}

function decoderOf(name: string, written: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(name, { fatal: true })
  } catch (cause) {
    throw new TrainerError('argument', `encoding '${written}' is not known.`, {
      fix: "Names are 'utf-8', 'utf-16', 'latin1', 'cp1252', 'gbk', 'shift_jis' and others as on the web.",
      cause,
    })
  }
}

/** The encoding that a byte order mark says. */
function markedEncoding([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

const pythonNames: Readonly<Record<string, string>> = {
  cp866: 'ibm866',
  cp932: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  'mac-roman': 'macintosh',
}

/** Python's names of encodings as those of TextDecoder, whose latin1 is not ISO-8859-1 but Windows-1252. */
function webName(encoding: string, bytes: Uint8Array): string {
  const name = encoding.toLowerCase().replaceAll('_', '-')
  if (/^(latin-?1|l1|iso-?8859-?1)$/.test(name)) return 'latin1'
  if (/^utf-?8(-sig)?$|^(us-)?ascii$/.test(name)) return 'utf-8'
  if (/^utf-?16$/.test(name)) return markedEncoding(bytes) === 'utf-16be' ? 'utf-16be' : 'utf-16le'
  const utf16 = /^utf-?16-?([lb]e)$/.exec(name)?.[1]
  if (utf16 !== undefined) return `utf-16${utf16}`
  const windows = /^cp-?(125\d|874)$/.exec(name)?.[1]
  if (windows !== undefined) return `windows-${windows}`
  return pythonNames[name] ?? name
}

function decodeLatin1(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)))
  return parts.join('')
}

/** What Windows-1252 has in place of the control characters 0x80 to 0x9f of ISO-8859-1. */
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

/** Node 20's own decoder of Windows-1252 decodes ISO-8859-1. */
function decodeWindows1252(bytes: Uint8Array): string {
  return decodeLatin1(bytes).replace(/[\x80-\x9f]/g, control => windows1252[control.charCodeAt(0) - 0x80]!)
}

/** UTF-16 of Latin letters is valid UTF-8 with a zero in every second byte. */
function refuseUnmarkedUtf16(file: string, bytes: Uint8Array): void {
  const start = bytes.subarray(0, 1000)
  const zeros = (odd: number): number => start.filter((byte, at) => byte === 0 && at % 2 === odd).length
  const name = zeros(1) > start.length / 4 ? 'utf-16le' : zeros(0) > start.length / 4 ? 'utf-16be' : undefined
  if (name === undefined) return
  throw new TrainerError('file', `${file} is not UTF-8: it looks like UTF-16 without a byte order mark.`, {
    fix: `Read it with encoding: '${name}'.`,
  })
}

/** The number of the first line that is not UTF-8. */
function undecodableLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  let from = 0
  try {
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      decoder.decode(bytes.subarray(from, end))
      from = end + 1
      line++
    }
  } catch {} // this is the line
  return line
}
