// a model, its loss and its gradients as the graphs of artifacts
import { bufferEnding, gradientEnding, resetFlag } from '../auto/artifactFiles'
import { differentiate } from '../autodiff/backward'
import { quoted, TrainerError } from '../errors'
import type { Values } from '../heads/Head'
import { log } from '../logging'
import { createModelGraph, type WrittenGraph } from '../models/modelGraph'
import { GraphBuilder } from '../onnx/builder'
import type { ForeignNode } from '../onnx/encode'
import { isFloat } from '../onnx/infer'
import { leavesLast } from '../onnx/order'
import { type Rewrite, rewrite } from '../onnx/rewrite'
import type { Graph, Value } from '../onnx/types'
import { forProcessor } from '../programs/forProcessor'
import { Tensor } from '../tensor'
import { type ArtifactLossOptions, outputNamed, writeArtifactLoss } from './artifactLoss'
import type { ChosenParameters } from './chosenParameters'
import type { ArtifactModel } from './ArtifactSource'
import { movedEnding, sumEnding } from './names'

/** What the graphs of artifacts are made of. */
export interface ArtifactPlan {
  readonly model: ArtifactModel
  readonly parameters: ChosenParameters
  /** The values of parameters that stay constants. */
  weights(name: string): Tensor
  readonly loss: ArtifactLossOptions
  readonly additionalOutputNames: readonly string[]
}

/** A graph of artifacts; in the dialect of ONNX Runtime Training with nodes that no graph of ours has. */
export interface TrainingArtifactGraph {
  readonly graph: Graph
  readonly foreignNodes: readonly ForeignNode[]
  /** The names of the trained parameters that the loss depends on, in order. */
  readonly trained: readonly string[]
}

/** A forward pass and its loss, in a graph. */
interface Forward {
  readonly graph: GraphBuilder
  readonly written: WrittenGraph
  readonly loss: Value
  /** The loss and the additional outputs, by name. */
  readonly outputs: Values
}

/** The graph of a loss: the model's inputs, labels, parameters → loss, additional outputs. */
export function evaluationArtifact(plan: ArtifactPlan): Graph {
  const { graph, outputs } = forward(plan, false)
  return inOrder(graph.build(outputs), plan.parameters, [])
}

/**
 * The graph of a loss and its gradients, which are added up in buffers: as new buffers, or in place by operators of
 * ONNX Runtime Training.
 * @throws TrainerError ('argument') where a parameter that was named as trained has no gradient.
 */
export function trainingArtifact(plan: ArtifactPlan, inPlace: boolean): TrainingArtifactGraph {
  const { graph, written, loss, outputs } = forward(plan, true)
  const { gradients, trained } = gradientsOf(plan, graph, written, loss)
  const moved = plan.parameters.inputs.filter(({ name }) => written.moved.has(name)).map(({ name }) => name)
  const buffers = trained.map(name => graph.input(`${name}${bufferEnding}`, 'float32', gradients.get(name)!.shape))
  const reset = graph.input(resetFlag, 'bool', [1])
  const built = (made: readonly (readonly [name: string, value: Value])[]): Graph => {
    const tail = [...buffers, reset].map(({ name }) => name)
    return inOrder(finished(graph, { ...outputs, ...Object.fromEntries(made) }), plan.parameters, tail)
  }
  const next = (suffix: string): (readonly [string, Value])[] =>
    moved.map(name => [`${name}${suffix}`, written.moved.get(name)!])
  if (inPlace) {
    const made = trained.map(name => [`${name}${gradientEnding}`, gradients.get(name)!] as const)
    return { ...accumulatedInPlace(built([...made, ...next('_next')]), trained, moved), trained }
  }
  const sums = trained.map((name, i) => {
    const gradient = gradients.get(name)!
    const isFirst = gradient.shape.length === 0 ? graph.squeeze(reset, [0]) : reset
    const sum = graph.where(isFirst, gradient, graph.add(buffers[i]!, gradient))
    return [`${name}${sumEnding}`, sum] as const
  })
  return { graph: built([...sums, ...next(movedEnding)]), foreignNodes: [], trained }
}

/** As the CPU provider runs it fastest; the operators stay ordinary ones. */
function finished(graph: GraphBuilder, outputs: Values): Graph {
  return leavesLast(rewrite(forProcessor(graph.build(outputs)), [withoutNumerator]))
}

/**
 * 1 / x as its reciprocal: where 1 / x is multiplied by what a Cast makes, as in the gradient of a mean, the optimizer of the official runtime 1.19.2
 * crashes (its DivMulFusion leaves the Cast without readers, and its PreShapeNodeElimination goes to the first of them).
 */
const withoutNumerator: Rewrite = (graph, node) => {
  const [one, x] = node.inputs
  const numerator = node.op === 'Div' ? graph.constantOf(one) : undefined
  return numerator?.dims.length === 0 && Number(numerator.data[0]) === 1 && isFloat(x!.dtype)
    ? graph.reciprocal(x!)
    : undefined
}

function forward(plan: ArtifactPlan, training: boolean): Forward {
  const { model, parameters, additionalOutputNames } = plan
  const graph = new GraphBuilder(training ? 'training' : 'evaluation', model.openLengths)
  const given = new Set(parameters.inputs.map(({ name }) => name))
  const inputs = model.declareInference(graph)
  const written = createModelGraph(graph, {
    parameter: (name, shape) =>
      given.has(name) ? graph.input(name, 'float32', shape) : graph.initializer(name, plan.weights(name)),
    training,
  })
  // nothing is dropped: see docs/artifacts.md
  const undropped = { ...written, dropout: (_place: string, x: Value) => x, dropoutMask: () => undefined }
  const predicted = model.forward(undropped, inputs)
  const outputs = model.exported?.(graph, inputs, predicted) ?? predicted
  for (const { name, shape } of parameters.inputs) {
    if (!written.parameters.has(name)) graph.input(name, 'float32', shape) // one that nothing reads
  }
  const loss = writeArtifactLoss(graph, outputs, plan.loss)
  const additional = additionalOutputNames.map(
    name => [name, outputNamed(outputs, name, 'additionalOutputNames')] as const,
  )
  const lossName =
    plan.loss.loss === undefined
      ? Object.keys(outputs)[0]!
      : freeName('loss', [...additionalOutputNames, ...graph.inputs.map(({ name }) => name)])
  return { graph, written, loss, outputs: { [lossName]: loss, ...Object.fromEntries(additional) } }
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name
}

function gradientsOf(
  { model, parameters }: ArtifactPlan,
  graph: GraphBuilder,
  written: WrittenGraph,
  loss: Value,
): { gradients: ReadonlyMap<string, Value>; trained: readonly string[] } {
  const wanted = parameters.inputs.filter(({ name }) => parameters.trained.has(name)).map(({ name }) => name)
  const values = wanted.flatMap(name => written.parameters.get(name)?.value ?? [])
  const { dense } = differentiate(graph, loss, values)
  const trained = wanted.filter(name => dense.has(name))
  const apart = wanted.filter(name => !dense.has(name))
  if (trained.length === 0 || (parameters.named && apart.length > 0)) {
    throw new TrainerError(
      'argument',
      `The loss of ${model.name} does not depend on ${quoted(apart)}, which cannot be trained by it.`,
      {
        fix: parameters.named
          ? 'Leave them out of requiresGrad, or give a loss that depends on them.'
          : 'Give a loss that depends on them, or name the output that it is computed from in lossInputNames.',
      },
    )
  }
  if (apart.length > 0)
    log('warning', `The loss does not depend on ${quoted(apart)}: they are frozen in the artifacts.`)
  return { gradients: dense, trained }
}

/** The graph with its inputs in the order of the protocol: the model's and labels, parameters, and those of `tail`. */
function inOrder(graph: Graph, { inputs }: ChosenParameters, tail: readonly string[]): Graph {
  const last = [...inputs.map(({ name }) => name), ...tail]
  const byName = new Map(graph.inputs.map(input => [input.name, input]))
  const own = graph.inputs.filter(({ name }) => !last.includes(name))
  return { ...graph, inputs: [...own, ...last.map(name => byName.get(name)!)] }
}

/** The graph whose last outputs are gradients and statistics, with operators that put these into their places. */
function accumulatedInPlace(
  graph: Graph,
  trained: readonly string[],
  moved: readonly string[],
): Pick<TrainingArtifactGraph, 'graph' | 'foreignNodes'> {
  const flag = (name: string): Value => ({ name, dtype: 'bool', shape: [1] })
  const always = flag('overwrites_statistics')
  const accumulator = (place: string, inputs: readonly string[], output: string): ForeignNode => ({
    op: 'InPlaceAccumulatorV2',
    domain: 'com.microsoft',
    name: `accumulate/${place}`,
    inputs,
    outputs: [output],
  })
  const nodes = [
    ...trained.map(name =>
      accumulator(name, [`${name}${bufferEnding}`, `${name}${gradientEnding}`, resetFlag], `${name}${sumEnding}`),
    ),
    ...moved.map(name => accumulator(name, [name, `${name}_next`, always.name], `${name}${movedEnding}`)),
  ]
  const kept = graph.outputs.slice(0, graph.outputs.length - nodes.length)
  const outputs = [...kept, ...nodes.map(node => flag(node.outputs[0]!))]
  const overwrites = { value: always, tensor: new Tensor('bool', Uint8Array.of(1), [1]) }
  const initializers =
    moved.length === 0 ? graph.initializers : new Map([...graph.initializers, [always.name, overwrites]])
  return { graph: { ...graph, outputs, initializers }, foreignNodes: nodes }
}
