// which nodes of a program a provider leaves to the processor
import { TrainerError } from '../errors'
import { log, logOnce } from '../logging'
import type { RawGraph } from '../onnx/RawModel'
import { readModel } from '../onnx/readModel'
import type { Api } from './capi'
import { type Pointer, pointersAt, textAt } from './nativeMemory'
import type { Provider } from './providers'
import type { ProgramOptions, StrayNode } from './types'

/** The session's setting that has ONNX Runtime take note of the placement. */
export const placementSetting = 'session.record_ep_graph_assignment_info'

/** Whether a session tells the placement of its nodes: where values lie in memory of the provider's own. */
export function knowsPlacement(api: Api, { name, memory }: Provider, { sessionConfig }: ProgramOptions): boolean {
  if (memory === undefined || name === 'cpu') return false
  const tells = api.has('Session_GetEpGraphAssignmentInfo')
  if (!tells)
    logOnce(
      'debug',
      `ONNX Runtime ${api.version} does not say which nodes '${name}' leaves to the processor: 1.24 does.`,
    )
  return tells && (sessionConfig?.[placementSetting] ?? '1') === '1'
}

/** The strays of a session whose options have {@link placementSetting}; see {@link strayNodes}. */
export function straysOf(api: Api, session: Pointer, model: Uint8Array, options: ProgramOptions): StrayNode[] {
  const placed = nodesOn(api, session, 'CPUExecutionProvider')
  return placed.length === 0 ? [] : strayNodes(placed, graphOf(model, options))
}

/** Warns of a program that has strays. */
export function warnOfStrays(strays: readonly StrayNode[], program: string, provider: string): void {
  if (strays.length === 0) return
  const shown = strays.slice(0, 4).map(({ op, name }) => `${op} '${name}'`)
  const more = strays.length > shown.length ? ` and ${strays.length - shown.length} more` : ''
  log(
    'warning',
    `Program '${program}' leaves ${strays.length === 1 ? 'a node' : `${strays.length} nodes`} to the processor: ` +
      `${shown.join(', ')}${more}. ONNX Runtime has no kernel for ${strays.length === 1 ? 'it' : 'them'} on ` +
      `'${provider}', so what such nodes read of the device and write for it is copied in every run. The numbers are ` +
      "right, but it is slower: measure it against device 'cpu', or write those nodes by other operators, or in float32 " +
      'where they compute in another type.',
  )
}

/**
 * Those of the nodes on the processor that compute with more than lengths and constants. ONNX Runtime computes shapes on
 * the processor on purpose, and may have merged nodes of the graph that do: so whatever is made of lengths and constants
 * alone is one, wherever it is computed. A Shape or Size counts where it would have to wait for a value of the device. A
 * node that the graph does not have, because an optimization wrote it, counts, other than the Gathers that bring lengths
 * of what was transposed into their order.
 */
export function strayNodes(placed: readonly StrayNode[], graph: Pick<RawGraph, 'initializers' | 'nodes'>): StrayNode[] {
  const key = ({ op, name }: StrayNode): string => `${op} ${name}`
  const onProcessor = new Set(placed.map(key))
  const own = new Set<string>()
  const strays = new Set<string>()
  const shapes = new Set<string>(['', ...graph.initializers.keys()])
  const ofDevice = new Set<string>()
  for (const node of graph.nodes) {
    own.add(key(node))
    const tellsLengths = node.op === 'Shape' || node.op === 'Size'
    const ofShapes = tellsLengths || node.inputs.every(input => shapes.has(input))
    const isPlaced = onProcessor.has(key(node))
    if (isPlaced && (tellsLengths ? node.inputs.some(input => ofDevice.has(input)) : !ofShapes)) strays.add(key(node))
    for (const output of node.outputs) {
      if (ofShapes) shapes.add(output)
      else if (!isPlaced) ofDevice.add(output)
    }
  }
  return placed.filter(node => (own.has(key(node)) ? strays.has(key(node)) : !gatherOfLengths.test(node.name)))
}

/** What ONNX Runtime calls the nodes that it writes where it moves a Transpose behind a Shape. */
const gatherOfLengths = /^Gather(_token_\d+)?$/

/** The nodes that were given to a provider. */
function nodesOn(api: Api, session: Pointer, provider: string): StrayNode[] {
  const [parts = 0n, count = 0n] = api.Session_GetEpGraphAssignmentInfo(session)
  return pointersAt(parts, Number(count))
    .filter(part => textAt(api.EpAssignedSubgraph_GetEpName(part)) === provider)
    .flatMap(part => {
      const [nodes = 0n, nodeCount = 0n] = api.EpAssignedSubgraph_GetNodes(part)
      return pointersAt(nodes, Number(nodeCount))
    })
    .map(node => ({
      op: textAt(api.EpAssignedNode_GetOperatorType(node)),
      name: textAt(api.EpAssignedNode_GetName(node)),
    }))
}

/** The model's graph; one without nodes where ONNX Runtime reads what we do not. */
function graphOf(model: Uint8Array, { externalData = {} }: ProgramOptions): Pick<RawGraph, 'initializers' | 'nodes'> {
  try {
    return readModel(model, file => externalData[file]!).graph
  } catch (error) {
    if (error instanceof TrainerError) return { initializers: new Map(), nodes: [] }
    throw error
  }
}
