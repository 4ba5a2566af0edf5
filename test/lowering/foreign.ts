// nodes as a file of another program has them, and what they are written into
import { type Plain, tensorOf } from '../../scripts/reference/plainTensor'
import type { Target } from '../../src/lowering/Lowering'
import type { GraphBuilder } from '../../src/onnx/builder'
import type { RawAttribute, RawModel } from '../../src/onnx/RawModel'
import type { Tensor } from '../../src/tensor'

export interface ForeignNode {
  readonly op: string
  readonly domain?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, RawAttribute>>
}

/** A file of nodes, which are called node_0, node_1 …, and of constants. */
export function modelOf(
  nodes: readonly ForeignNode[],
  constants: ReadonlyMap<string, Tensor>,
  opset: number,
): RawModel {
  return {
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
    functions: new Map(),
    metadata: new Map(),
    graph: {
      name: 'case',
      nodes: nodes.map(({ attributes, domain = '', ...node }, at) => ({
        ...node,
        domain,
        name: `node_${at}`,
        attributes: new Map(Object.entries(attributes)),
      })),
      initializers: constants,
      inputs: [],
      outputs: [],
      stated: new Map(),
    },
  }
}

/** A use of an operator. */
export interface NodeUse {
  readonly op: string
  readonly opset: number
  readonly attributes: Readonly<Record<string, RawAttribute>>
  readonly inputs: readonly (Plain | null)[]
  readonly outputs: readonly Plain[]
}

/** The node alone as a file: its inputs are x0, x1 …, of which some are constants, and its outputs y0, y1 … */
export function modelOfNode(
  { op, opset, attributes, inputs, outputs }: NodeUse,
  isConstant: (input: Plain, at: number) => boolean,
): RawModel {
  const constants = inputs.flatMap((input, i) =>
    input !== null && isConstant(input, i) ? [[`x${i}`, tensorOf(input)] as const] : [],
  )
  const names = inputs.map((input, i) => (input === null ? '' : `x${i}`))
  const node = { op, inputs: names, outputs: outputs.map((_, i) => `y${i}`), attributes }
  return modelOf([node], new Map(constants), opset)
}

/** A graph where masks of dropout are inputs, and statistics stay. */
export function targetIn(graph: GraphBuilder, isTraining = true): Target {
  return {
    graph,
    isTraining,
    dropoutMask: (place, x) => graph.input(`dropout.${place}`, x.dtype, x.shape),
    moves: () => undefined,
  }
}
