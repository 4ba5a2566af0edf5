import { TrainerError } from '../errors'

/** The error for an ONNX file that contradicts itself. @param what its fault, as a clause. */
export function malformed(what: string): TrainerError {
  return new TrainerError('file', `The ONNX data is malformed: ${what}.`, { fix: 'Copy it again, or export it again.' })
}
