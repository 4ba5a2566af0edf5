import { TrainerError } from '../errors'

/** A call that ONNX Runtime answered with an error. */
export class StatusError extends TrainerError {
  /**
   * OrtErrorCode: 1 fail, 2 invalid argument, 6 runtime exception, 7 invalid protobuf, 9 not implemented, 10 invalid
   * graph …
   */
  readonly status: number
  /** ONNX Runtime's own words. */
  readonly reason: string

  constructor(call: string, status: number, message: string) {
    const reason = tidy(message)
    super('engine', `ONNX Runtime refused ${call}: ${reason}`)
    this.status = status
    this.reason = reason
  }
}

/** Without the places in ONNX Runtime's sources, and as a sentence. */
function tidy(message: string): string {
  const places =
    /(\/|[A-Z]:\\)\S+\.(cc|cpp|h):\d+ [\w:&*<>~,{} ]+\([^)]*\)( const)?(::<lambda\([^)]*\)>)?( \[with [^\]]*\])* /g
  const plain = message
    .replace(places, '')
    .replace(/\b\w+\.h:\d+ \w+ /g, '')
    .replace(/\[ONNXRuntimeError\] : \d+ : \w+ : /g, '')
    .replace(/\[with ERRTYPE[^\]]*\] /g, '')
    .replace(/ ; GPU=-?\d+ ; hostname=.*$/s, '') // of CUDA's errors
    .replace(/\s+/g, ' ')
    .trim()
  return /[.!?]$/.test(plain) ? plain : `${plain}.`
}
