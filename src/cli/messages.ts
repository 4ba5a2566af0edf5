import { setLogSink } from '../index'

/** What programs alone can do something about. */
const forPrograms = /columns? .* (is|are) not used: the model does not take/

/** What `train` says in its own words, and other commands refuse; these two do neither. */
const newHead = /^Some weights of .* newly initialized/
const startNewHeads = ['artifacts', 'glue']

/** Clears the line of a terminal: a progress bar may be there, which will be drawn again. */
const emptyLine = '\r\u001b[2K'

/** Advice to pass an option of a function, which the command line does not have, and what helps there. */
const optionAdvice: readonly (readonly [option: RegExp, instead: string])[] = [
  [/pass quoting: (true|false)\./, 'write the rows as JSON Lines, or each quote inside a cell twice.'],
  [/Name its encoding, for instance encoding: '\w+', or save it as UTF-8:/, 'Save it as UTF-8:'],
  [/Name its encoding, for instance encoding: 'latin1'\./, 'Save it as UTF-8: iconv -f latin1 -t utf-8.'],
  [/Read it with encoding: '([\w-]+)'\./, 'Save it as UTF-8: iconv -f $1 -t utf-8.'],
]

/** An error's message with advice that the command line can follow. */
export function withoutOptions(message: string): string {
  return optionAdvice.reduce((text, [option, instead]) => text.replace(option, instead), message)
}

/** Writes a line to standard error. */
export function writeNote(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? emptyLine : ''}${text}\n`)
}

/** The messages of the package, as a command shows them. */
export function showMessages(command: string | undefined): void {
  const isNewHeadSaid = !startNewHeads.includes(command ?? '')
  setLogSink((_level, message) => {
    if (forPrograms.test(message) || (isNewHeadSaid && newHead.test(message))) return
    writeNote(message.replace(/train\(\{ resumeFromCheckpoint: true \}\)/g, '--resume_from_checkpoint true'))
  })
}
