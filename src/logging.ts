/** The levels of messages, from the least to the most important, in Hugging Face's words. */
const logLevels = ['debug', 'info', 'warning', 'error', 'critical'] as const
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number]

/** Receives one message. */
export type LogSink = (level: LogLevel, message: string) => void

let threshold: LogLevel = 'warning'
/** On a terminal, the line is cleared first: a progress bar may be there, which will be drawn again. */
const emptyLine = '\r\u001b[2K'
let sink: LogSink = (_level, message) =>
  void process.stderr.write(`${process.stderr.isTTY ? emptyLine : ''}${message}\n`)

/** Sends a message to the user on standard error, or to the sink of {@link setLogSink}, if its level is high enough. */
export function log(level: LogLevel, message: string): void {
  if (logLevels.indexOf(level) >= logLevels.indexOf(threshold)) sink(level, message)
}

const logged = new Set<string>()

/** Like {@link log}, but sends the same message only once in a process. */
export function logOnce(level: LogLevel, message: string): void {
  if (logged.has(message)) return
  logged.add(message)
  log(level, message)
}

/** Drops messages below this level; it is 'warning' by default. */
export function setLogLevel(level: LogLevel): void {
  threshold = level
}

/** Sends messages to a sink instead of standard error. */
export function setLogSink(to: LogSink): void {
  sink = to
}
