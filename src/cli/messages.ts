import { setLogSink } from '../index'

/** What the commands say in their own words, or what programs alone can do something about. */
const saidOtherwise = [
  /^Some weights of .* newly initialized/,
  /columns? .* (is|are) not used: the model does not take/,
]

/** Clears the line of a terminal: a progress bar may be there, which will be drawn again. */
const emptyLine = '\r\u001b[2K'

/** Writes a line to standard error. */
export function writeNote(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? emptyLine : ''}${text}\n`)
}

/** The messages of the package, as a command shows them. */
export function showMessages(): void {
  setLogSink((_level, message) => {
    if (saidOtherwise.some(pattern => pattern.test(message))) return
    writeNote(message.replace(/train\(\{ resumeFromCheckpoint: true \}\)/g, '--resume_from_checkpoint true'))
  })
}
