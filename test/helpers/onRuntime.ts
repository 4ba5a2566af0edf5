import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { encode } from '../../src/onnx/encode'
import type { Graph } from '../../src/onnx/types'
import { type DataType, Tensor } from '../../src/tensor'

/**
 * What ONNX Runtime makes of a graph, beside what `evaluate` does.
 * @param feeds a tensor for each input of the graph, as `evaluate` takes them: float64 is fed as float32 where that is
 * declared
 */
export async function onRuntime(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const session = await InferenceSession.create(encode(graph).model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  try {
    const fed = graph.inputs.map(({ name, dtype }) => {
      const { data, dims } = feeds[name]!
      const typed = dtype === 'float32' ? Float32Array.from(data as Float64Array) : data
      return [name, new RuntimeTensor(dtype as 'float32', typed as Float32Array, dims)] as const
    })
    const found = await session.run(Object.fromEntries(fed))
    return Object.fromEntries(
      Object.entries(found).map(([name, { type, data, dims }]) => [
        name,
        new Tensor(type as DataType, data as never, dims),
      ]),
    )
  } finally {
    await session.release()
  }
}
