import { openLibrary } from './Engine'

/** The version of ONNX Runtime that is used here; undefined where there is none. */
export function runtimeVersion(): string | undefined {
  try {
    return openLibrary().version
  } catch {
    return undefined
  }
}
