import { expand } from '../autodiff/shapes'
import { TrainerError } from '../errors'
import { asGiven, declareGiven, type GivenInput } from '../feeds/asGiven'
import type { Limits } from '../feeds/limits'
import type { Values } from '../heads/Head'
import { lower } from '../lowering/lower'
import type { Loss } from '../losses/loss'
import type { Model, ModelGraph, OwnLoss, Trial } from '../models/Model'
import { probing } from '../models/modelGraph'
import type { GraphBuilder } from '../onnx/builder'
import { indexLimits } from '../onnx/indexLimits'
import { describe } from '../onnx/shapes'
import type { Value } from '../onnx/types'
import { labelCountInput } from '../programs/loss'
import type { Tensor } from '../tensor'
import { lossHead, nothingWithoutLabels } from './lossHead'
import type { ArtifactGraph, Signature } from './signature'

/** What the gradients of an update's micro-batches, each of its own mean loss, are to come to. */
export type Accumulation = 'mean' | 'sum'

/** What a model is made of. */
export interface ArtifactParts {
  readonly training: ArtifactGraph
  readonly evaluation: ArtifactGraph
  readonly signature: Signature
  /** Parameters that are not float32, which nothing changes. */
  readonly constants: ReadonlyMap<string, Tensor>
  readonly accumulation: Accumulation
}

type Written = { readonly values: ReadonlyMap<string, Value>; readonly loss: Value }

/** Artifacts as a model: their training graph is its loss and its gradients, their evaluation graph all else. */
export function artifactsModel(parts: ArtifactParts): Model<Values> {
  const { evaluation, signature } = parts
  const { data, parameters, outputsWithoutLabels, labels } = signature
  // a model without labels has at least its loss
  const exported = outputsWithoutLabels.length === 0 && labels.length === 0 ? undefined : outputsWithoutLabels
  const own = ownLoss(parts)
  const trial = trialOf(parts, own)
  const limits = limitsOf(evaluation.file, trial, parts.signature.labels)
  return {
    name: evaluation.file,
    parameters: parameters.map(({ name, shape, gradient, isStatistic }) => ({
      name,
      shape,
      initialization: { kind: 'zeros' },
      trainable: gradient !== undefined,
      ...(isStatistic && { isStatistic }),
    })),
    inputNames: data.map(({ name }) => name),
    head: lossHead(evaluation.file, signature, limits),
    openLengths: true,
    trial,
    layout: () => asGiven(data, limits),
    declareInference: graph => declareGiven(graph, data),
    forward(graph, inputs) {
      if (exported === undefined) return { loss: write(graph, parts, evaluation, inputs, []).loss }
      if (exported.length === 0) throw nothingWithoutLabels(evaluation.file, signature)
      return Object.fromEntries(writeValues(graph, parts, evaluation, inputs, exported))
    },
    ownLoss: own,
  }
}

/** Both graphs with inputs and labels of other shapes. */
function trialOf(parts: ArtifactParts, own: OwnLoss<Values>): Trial {
  const { data, labels, parameters, outputsWithoutLabels } = parts.signature
  return {
    inputs: [...data, ...labels],
    write(given, isTraining) {
      const written = probing(isTraining)
      const { graph } = written
      const named = (some: readonly GivenInput[]): Values =>
        declareGiven(
          graph,
          some.map(({ name }) => given.find(input => input.name === name)!),
        )
      const trained = parameters.filter(({ gradient }) => gradient !== undefined).map(({ name }) => name)
      const isLabelled = labels.every(({ name }) => given.some(input => input.name === name))
      if (!isLabelled) writeValues(written, parts, parts.evaluation, named(data), outputsWithoutLabels)
      else if (isTraining) own.training(written, named(data), named(labels), trained)
      else own.evaluation(written, named(data), named(labels))
      return written
    },
  }
}

/** What the inputs of the evaluation graph may be, worked out where the first batch is fed. */
function limitsOf(file: string, { inputs, write }: Trial, labels: Signature['labels']): () => Limits {
  let limits: Limits | undefined
  return () =>
    (limits ??= {
      file,
      byInput: indexLimits(
        write(inputs, false).graph,
        labels.map(({ name }) => name),
      ),
    })
}

function ownLoss(parts: ArtifactParts): OwnLoss<Values> {
  const { training, evaluation, signature } = parts
  return {
    evaluation(graph, inputs, labels) {
      const { values, loss } = write(graph, parts, evaluation, { ...inputs, ...labels }, signature.outputs)
      const outputs = Object.fromEntries(signature.outputs.map(name => [name, values.get(name)!]))
      return { outputs, loss: weighted(graph.graph, loss, inputs[signature.data[0]!.name]!) }
    },
    training(graph, inputs, labels, trained) {
      const gradients = signature.parameters.flatMap(({ name, gradient }) =>
        gradient !== undefined && trained.includes(name) ? [[name, gradient] as const] : [],
      )
      const moved = signature.parameters.flatMap(({ name, next }) =>
        next === undefined ? [] : [[name, next] as const],
      )
      const wanted = [...gradients, ...moved].map(([, value]) => value)
      const { values, loss } = write(graph, parts, training, { ...inputs, ...labels }, wanted)
      for (const [name, next] of moved) graph.moves(parameterIn(graph, parts, name), values.get(next)!)
      const found = gradients.map(([name, gradient]) => [name, values.get(gradient)!] as const)
      return { loss: { sum: loss, count: graph.graph.constant(1) }, gradients: accumulated(graph.graph, parts, found) }
    },
  }
}

/**
 * What is added up over micro-batches, and then divided by their number. Where the gradients' sum is wanted, each is
 * multiplied by that number.
 */
function accumulated(
  graph: GraphBuilder,
  { accumulation }: ArtifactParts,
  gradients: readonly (readonly [string, Value])[],
): ReadonlyMap<string, Value> {
  if (accumulation === 'mean') return new Map(gradients)
  const microBatches = graph.input(labelCountInput, 'float32', [])
  return new Map(gradients.map(([name, gradient]) => [name, graph.mul(gradient, microBatches)]))
}

/** A batch's mean loss as a sum over its rows. */
function weighted(graph: GraphBuilder, loss: Value, input: Value): Loss {
  const [length] = input.shape
  const count =
    length === undefined || typeof length === 'number'
      ? graph.constant(length ?? 1)
      : graph.sum(expand(graph, graph.constant(1), [length], [input]))
  return { sum: graph.mul(loss, count), count }
}

/** Writes a graph with its loss, which becomes a scalar. @throws TrainerError ('graph') for a loss of several numbers. */
function write(
  graph: ModelGraph,
  parts: ArtifactParts,
  from: ArtifactGraph,
  inputs: Values,
  wanted: readonly string[],
): Written {
  const name = from.model.graph.outputs[0]!.name
  const values = writeValues(graph, parts, from, inputs, [name, ...wanted])
  const loss = values.get(name)!
  if (loss.dtype !== 'float32' || !loss.shape.every(length => length === 1)) {
    const found = `its first output "${name}" has to be a loss, but is ${describe(loss)}`
    throw new TrainerError('graph', `${from.file}: ${found}.`)
  }
  return { values, loss: loss.shape.length === 0 ? loss : graph.graph.reshape(loss, []) }
}

function writeValues(
  graph: ModelGraph,
  parts: ArtifactParts,
  { file, model }: ArtifactGraph,
  inputs: Values,
  wanted: readonly string[],
): ReadonlyMap<string, Value> {
  const given = new Map(Object.entries(inputs))
  for (const { name } of parts.signature.parameters) given.set(name, parameterIn(graph, parts, name))
  for (const [name, tensor] of parts.constants) given.set(name, graph.graph.constant(tensor))
  return lower(graph, { model, file, given, wanted: [...new Set(wanted)] })
}

function parameterIn(graph: ModelGraph, { signature }: ArtifactParts, name: string): Value {
  const { shape } = signature.parameters.find(parameter => parameter.name === name)!
  return graph.parameter(name, { shape, initialization: { kind: 'zeros' } })
}
