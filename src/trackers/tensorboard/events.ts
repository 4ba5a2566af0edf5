// what TensorBoard shows → messages of tensorflow's event.proto and summary.proto
import { message, writeDouble, writeFloat, writeInteger, writeMessage, writeText, type Writer } from '../../protobuf'

/** Fields of `Event`. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 }
/** Fields of `Summary.Value`. */
const summary = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 }
const stringType = 7 // DT_STRING
const started = 1 // SessionLog.START

/** Numbers and texts by tag, of one step. @param time in milliseconds since 1970. */
export function summaryEvent(
  values: Readonly<Record<string, number | string>>,
  step: number,
  time: number,
): Uint8Array {
  const summaries = message(writer => {
    for (const [tag, value] of Object.entries(values))
      writeMessage(writer, 1, typeof value === 'number' ? scalar(tag, value) : text(tag, value))
  })
  return eventOf(step, time, writer => writeMessage(writer, event.summary, summaries))
}

/** What every file begins with. */
export function versionEvent(step: number, time: number): Uint8Array {
  return eventOf(step, time, writer => writeText(writer, event.fileVersion, 'brain.Event:2'))
}

/** Has TensorBoard forget what files before this one have from `step` on. */
export function restartEvent(step: number, time: number): Uint8Array {
  const status = message(writer => writeInteger(writer, 1, started))
  return eventOf(step, time, writer => writeMessage(writer, event.sessionLog, status))
}

function eventOf(step: number, time: number, write: (writer: Writer) => void): Uint8Array {
  return message(writer => {
    writeDouble(writer, event.wallTime, time / 1000)
    if (step !== 0) writeInteger(writer, event.step, step)
    write(writer)
  })
}

function scalar(tag: string, value: number): Uint8Array {
  return message(writer => {
    writeText(writer, summary.tag, tag)
    writeFloat(writer, summary.simpleValue, value)
  })
}

/** A text as its plugin has it: a list of one string, under PyTorch's tag. */
function text(tag: string, value: string): Uint8Array {
  const shape = message(writer =>
    writeMessage(
      writer,
      2,
      message(dimension => writeInteger(dimension, 1, 1)),
    ),
  )
  const tensor = message(writer => {
    writeInteger(writer, 1, stringType)
    writeMessage(writer, 2, shape)
    writeText(writer, 8, value)
  })
  const plugin = message(writer => writeText(writer, 1, 'text'))
  const metadata = message(writer => writeMessage(writer, 1, plugin))
  return message(writer => {
    writeText(writer, summary.tag, `${tag}/text_summary`)
    writeMessage(writer, summary.tensor, tensor)
    writeMessage(writer, summary.metadata, metadata)
  })
}
