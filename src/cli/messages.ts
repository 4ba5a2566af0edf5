import { setLogSink } from '../index'

/** What programs alone can do something about. */
const forPrograms = /columns? .* (is|are) not used: the model does not take/

/** What `train` says in its own words, and other commands refuse; these two do neither. */
const newHead = /^Some weights of .* newly initialized/
const startNewHeads = ['artifacts', 'glue']

/** Clears the line of a terminal: a progress bar may be there, which will be drawn again. */
const emptyLine = '\r\u001b[2K'

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
