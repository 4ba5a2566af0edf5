/** How much the library tells, from everything to nothing, in Hugging Face's words. */
const logLevels = ['debug', 'info', 'warning', 'error', 'critical'] as const
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number]

/** Takes one message. */
export type LogSink = (level: LogLevel, message: string) => void

let threshold: LogLevel = 'warning'
/** On a terminal, the line is emptied first: a progress bar may stand in it, which is drawn anew. */
const emptyLine = '\r\u001b[2K'
let sink: LogSink = (_level, message) =>
  void process.stderr.write(`${process.stderr.isTTY ? emptyLine : ''}${message}\n`)

/**
 * Says something to the user on standard error (or to the sink that {@link setLogSink} gave), if the level is high
 * enough.
 */
export function log(level: LogLevel, message: string): void {
  if (logLevels.indexOf(level) >= logLevels.indexOf(threshold)) sink(level, message)
}

const told = new Set<string>()

/** Like {@link log}, but the same message only once in a process. */
export function logOnce(level: LogLevel, message: string): void {
  if (told.has(message)) return
  told.add(message)
  log(level, message)
}

/** Messages below this level are dropped; 'warning' unless set. */
export function setLogLevel(level: LogLevel): void {
  threshold = level
}

/** Where messages go instead of standard error. */
export function setLogSink(to: LogSink): void {
  sink = to
}
