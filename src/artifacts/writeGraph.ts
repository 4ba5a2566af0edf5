import { writeFileWhole } from '../files/writeFile'
import { writeTogether } from '../files/writeTogether'
import { encodeInParts, type EncodeOptions, externalBytes } from '../onnx/encode'
import type { Graph } from '../onnx/types'

/**
 * Writes a graph as an ONNX file; where its weights are more than one file of protobuf holds, they are in PATH.data beside it, as Python's onnx and
 * PyTorch's exporter call it. @throws TrainerError ('file') when a file cannot be written.
 */
export async function writeGraph(path: string, graph: Graph, options: EncodeOptions = {}): Promise<void> {
  const externalDataName = `${path.slice(path.search(/[^/\\]*$/))}.data`
  const { model, externalData } = encodeInParts(graph, { ...options, externalDataName })
  if (externalData === undefined) await writeFileWhole(path, model)
  else await writeTogether(path, model, { name: externalDataName, source: externalBytes(externalData) })
}
