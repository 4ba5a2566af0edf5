// what TensorBoard shows → messages of tensorflow's event.proto and summary.proto
import { message, writeDouble, writeFloat, writeInteger, writeNested, writeText, type Writer } from '../../protobuf'

/** Fields of `Event`. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 }
/** Fields of `Summary.Value`. */
const summary = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 }
/** Fields of `TensorProto`. */
const tensor = { dtype: 1, shape: 2, strings: 8 }
const stringType = 7 // DT_STRING
const started = 1 // SessionLog.START

/** Numbers and texts by tag, of one step. @param time in milliseconds since 1970. */
export function summaryEvent(
  values: Readonly<Record<string, number | string>>,
  step: number,
  time: number,
): Uint8Array {
  return eventOf(step, time, writer =>
    writeNested(writer, event.summary, () => {
      for (const [tag, value] of Object.entries(values))
        writeNested(writer, 1, () => {
          if (typeof value === 'number') writeScalar(writer, tag, value)
          else writeTextSummary(writer, tag, value)
        })
    }),
  )
}

/** What every file begins with. */
export function versionEvent(step: number, time: number): Uint8Array {
  return eventOf(step, time, writer => writeText(writer, event.fileVersion, 'brain.Event:2'))
}

/** Has TensorBoard forget what files before this one have from `step` on. */
export function restartEvent(step: number, time: number): Uint8Array {
  return eventOf(step, time, writer => writeNested(writer, event.sessionLog, () => writeInteger(writer, 1, started)))
}

function eventOf(step: number, time: number, write: (writer: Writer) => void): Uint8Array {
  return message(writer => {
    writeDouble(writer, event.wallTime, time / 1000)
    if (step !== 0) writeInteger(writer, event.step, step)
    write(writer)
  })
}

function writeScalar(writer: Writer, tag: string, value: number): void {
  writeText(writer, summary.tag, tag)
  writeFloat(writer, summary.simpleValue, value)
}

/** A text as its plugin has it: a list of one string, under PyTorch's tag. */
function writeTextSummary(writer: Writer, tag: string, value: string): void {
  writeText(writer, summary.tag, `${tag}/text_summary`)
  writeNested(writer, summary.tensor, () => {
    writeInteger(writer, tensor.dtype, stringType)
    writeNested(writer, tensor.shape, () => writeNested(writer, 2, () => writeInteger(writer, 1, 1))) // [1]
    writeText(writer, tensor.strings, value)
  })
  writeNested(writer, summary.metadata, () => writeNested(writer, 1, () => writeText(writer, 1, 'text')))
}
