// texts that come in pieces → texts that end where lines end
import { TrainerError } from '../errors'

/** Lines that came together. */
export interface Lines {
  readonly text: string
  /** The number of the first of them. */
  readonly line: number
}

/** More letters than any line has. */
const longestLine = 1 << 26

/** Texts that end where lines end. @throws TrainerError ('file') for a line that does not end. */
export async function* wholeLines(texts: AsyncIterable<string>, name: string): AsyncGenerator<Lines, void, undefined> {
  let rest = ''
  let line = 1
  for await (const text of texts) {
    rest += text
    // A line may end with \r alone, unless it stands last: then \n may follow.
    const end = Math.max(rest.lastIndexOf('\n'), rest.lastIndexOf('\r', rest.length - 2)) + 1
    if (rest.length - end > longestLine)
      throw new TrainerError('file', `${name}, line ${line}: it does not end within ${longestLine} letters.`, {
        fix: 'Is it JSON Lines, with an object on each line?',
      })
    if (end === 0) continue
    const whole = rest.slice(0, end)
    yield { text: whole, line }
    line += whole.split(/\r\n|\n|\r/).length - 1
    rest = rest.slice(end)
  }
  if (rest !== '') yield { text: rest, line }
}
