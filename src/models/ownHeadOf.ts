// a head of the user's own → the head of a model
import { TrainerError } from '../errors'
import { customOutputs } from '../heads/customOutputs'
import type { Head } from '../heads/Head'
import { checkedLoss, checkLabelsRead, checkOutputs, checkOwnHead } from '../heads/ownChecks'
import type { Encodings, OwnHead } from '../heads/OwnHead'
import { declareOwnLabels } from '../heads/ownLabels'
import { GraphBuilder } from '../onnx/builder'
import type { Value } from '../onnx/types'
import type { Architecture } from './architecture'
import { type ModelConfig, sizeField } from './config'
import { createModelGraph } from './modelGraph'
import { pooled, writeOwnHead } from './ownLayers'

/**
 * The head of a model, as the user's own says it. Its functions are called once here, on a graph that nobody runs: what
 * they read, write and return is known then, and what is wrong in it is said before any weight is loaded.
 * @param config with all of its fields.
 * @throws TrainerError ('argument') for a head that cannot be.
 */
export function ownHeadOf(own: OwnHead, architecture: Architecture, config: ModelConfig): Head {
  checkOwnHead(own)
  const graph = new GraphBuilder('head')
  const parameter = (name: string, shape: readonly number[]): Value => graph.input(name, 'float32', shape)
  const model = createModelGraph(graph, { parameter, training: true })
  const width = sizeField(config, architecture.config.width)
  const read = new Map<'batch' | 'tokens', Value>()
  const encodings = (axis: 'batch' | 'tokens'): Value => {
    const value = read.get(axis) ?? graph.input(`encoded.${axis}`, 'float32', [axis, width])
    read.set(axis, value)
    return value
  }
  const encoded: Encodings = {
    first: () => encodings('batch'),
    tokens: () => encodings('tokens'),
    pooled: () => pooled(own.name, architecture, model, config, encodings('batch')),
  }
  const { outputs, layers } = writeOwnHead(own, model, config, encoded)
  checkOutputs(own.name, outputs)
  refuseEncoderNames(own.name, layers, architecture)
  const labels = declareOwnLabels(graph, own.labels)
  const loss = checkedLoss(own, own.loss(outputs, labels, graph))
  const isRead = new Set(graph.nodes.flatMap(({ inputs }) => inputs.map(input => input?.name)))
  checkLabelsRead(own, column => isRead.has(labels[column]!.name))
  const terms = 'sum' in loss ? undefined : Object.keys(loss)
  return customOutputs(own, { outputs, layers, reads: read.has('tokens') ? 'all' : 'first', terms })
}

/** A layer that is called as one of the encoder would be that one. */
function refuseEncoderNames(head: string, layers: readonly string[], { prefix }: Architecture): void {
  const taken = layers.find(name => name === prefix || name.startsWith(`${prefix}.`))
  if (taken === undefined) return
  throw new TrainerError('argument', `The layer "${taken}" of ${head} is called as one of the encoder.`, {
    fix: `Names that begin with "${prefix}." are the encoder's: choose another.`,
  })
}
