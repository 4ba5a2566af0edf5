import { differentiate, type RowGradient } from '../autodiff/backward'
import type { FeedLayout } from '../feeds/FeedLayout'
import { TrainerError } from '../errors'
import type { Loss } from '../losses/loss'
import type { Model, OwnLoss, Parameter } from '../models/Model'
import { createModelGraph, type WrittenGraph } from '../models/modelGraph'
import { GraphBuilder } from '../onnx/builder'
import { leavesLast } from '../onnx/order'
import type { Value } from '../onnx/types'
import type { ReducedType } from '../tensor'
import { addedRows, tableRows } from './addedRows'
import { forDevice } from './forDevice'
import { forProcessor } from './forProcessor'
import { countedOf, lossOfUpdate, type Objective, writeLoss } from './loss'
import { inPrecision } from './mixedPrecision'
import type { GradientOutput, TrainingProgram } from './TrainingProgram'

/** How a training program is made. */
export interface TrainingOptions {
  /** Whether gradients of large tables come as the rows that were read; true unless given. */
  readonly rows?: boolean
  /** Computes layers again in the backward pass, in place of keeping what they computed. */
  readonly checkpointing?: boolean
  /** Writes the graph as the processor runs it fastest; see {@link forProcessor}. */
  readonly onProcessor?: boolean
  /** Writes the graph by what a device has kernels for; see {@link forDevice}. */
  readonly onDevice?: boolean
  /** Whether masks of dropout are bytes, which travel to a device; as `onDevice` unless given. */
  readonly byteMasks?: boolean
  /** Writes products, and what carries between them, in 16 bits; see {@link mixedPrecision}. */
  readonly precision?: ReducedType | undefined
}

/**
 * The input that the loss is multiplied by where the backward pass starts, in programs in float16: gradients are so many
 * times too large then, and small ones do not become 0.
 */
export const lossScaleInput = 'loss_scale'

/** The program of a model in training, for a variant of its feeds: forward, loss and backward. */
export function trainingProgram<Inputs>(
  model: Model<Inputs>,
  layout: FeedLayout<Inputs>,
  variant: string,
  objective: Objective,
  options: TrainingOptions = {},
): TrainingProgram {
  const graph = new GraphBuilder('training', model.openLengths)
  const inputs = layout.declare(graph, variant)
  const written = createModelGraph(graph, {
    parameter: (name, shape) => graph.input(name, 'float32', shape),
    training: true,
    byteMasks: options.byteMasks ?? options.onDevice === true,
  })
  const { loss, trained, dense, rows } =
    model.ownLoss === undefined
      ? differentiated(model, written, inputs, objective, options)
      : own(model, model.ownLoss, written, inputs, options)
  const outputs: Record<string, Value> = { loss: scalar(graph, loss.sum), count: scalar(graph, loss.count) }
  const gradients = new Map<string, GradientOutput>()
  for (const [name, gradient] of dense) {
    outputs[`${name}_grad`] = gradient
    gradients.set(name, { kind: 'dense', output: `${name}_grad` })
  }
  const moved = [...written.moved].map(([name, next]) => [name, `${name}_moved`, next] as const)
  for (const [, output, next] of moved) outputs[output] = next
  for (const [name, parts] of rows) gradients.set(name, rowOutputs(graph, outputs, name, parts))
  const built = graph.build(outputs)
  const { precision, onProcessor = false, onDevice = false } = options
  const reduced = inPrecision(onDevice ? forDevice(built) : built, precision, onProcessor)
  return {
    graph: leavesLast(onProcessor ? forProcessor(reduced) : reduced),
    loss: { sum: 'loss', count: 'count' },
    // in the model's order, whatever order the walk found them in
    gradients: new Map(trained.flatMap(name => (gradients.has(name) ? [[name, gradients.get(name)!]] : []))),
    dropout: written.sites,
    moved: new Map(moved.map(([name, output]) => [name, output])),
  }
}

/** As what is added up over micro-batches, whatever a custom loss or a graph of another program makes it. */
function scalar(graph: GraphBuilder, value: Value): Value {
  const single = graph.cast(value, 'float32')
  return single.shape.length === 0 ? single : graph.reshape(single, [])
}

/** A loss and its gradients. */
interface Backward {
  readonly loss: Loss
  /** What is trained, in the model's order. */
  readonly trained: readonly string[]
  readonly dense: ReadonlyMap<string, Value>
  readonly rows: ReadonlyMap<string, readonly RowGradient[]>
}

/** The loss of the head, or a custom one, and what the calculus makes of it. */
function differentiated<Inputs>(
  model: Model<Inputs>,
  written: WrittenGraph,
  inputs: Inputs,
  objective: Objective,
  options: TrainingOptions,
): Backward {
  const { graph } = written
  const predicted = model.forward(written, inputs, countedOf(model.head, objective)?.declare(graph))
  const loss = lossOfUpdate(graph, writeLoss(graph, model.head, predicted, objective))
  const trained = model.parameters.filter(({ name, trainable }) => trainable && written.parameters.has(name))
  const { dense, rows } = differentiate(
    graph,
    options.precision === 'float16' ? graph.mul(loss.sum, graph.input(lossScaleInput, 'float32', [])) : loss.sum,
    trained.map(({ name }) => written.parameters.get(name)!.value),
    {
      rows: new Set(options.rows === false ? [] : trained.filter(isLargeTable).map(({ name }) => name)),
      checkpoints: options.checkpointing === true ? written.checkpoints : [],
    },
  )
  return { loss, trained: trained.map(({ name }) => name), dense, rows }
}

/** The loss and the gradients that the model brings. */
function own<Inputs>(
  model: Model<Inputs>,
  ownLoss: OwnLoss<Inputs>,
  written: WrittenGraph,
  inputs: Inputs,
  { checkpointing, precision, rows }: TrainingOptions,
): Backward {
  if (precision === 'float16') {
    throw new TrainerError('argument', `fp16 was given, but ${model.name} brings its own gradients.`, {
      fix: "Leave it out: float16 needs a loss that is scaled before gradients are made of it. On device 'cuda' bf16 does.",
    })
  }
  if (checkpointing === true) {
    throw new TrainerError('argument', `gradientCheckpointing was given, but ${model.name} brings its own gradients.`, {
      fix: 'Leave it out: what is computed again is decided where such a graph is made.',
    })
  }
  const trained = model.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)
  const { loss, gradients } = ownLoss.training(written, inputs, model.head.declare(written.graph, {}), trained)
  return { loss, trained, ...parted(written.graph, gradients, rows === false ? [] : model.parameters) }
}

/** Gradients that are rows added up in zeros, as these rows, and all others. */
function parted(
  graph: GraphBuilder,
  gradients: ReadonlyMap<string, Value>,
  parameters: readonly Parameter[],
): Pick<Backward, 'dense' | 'rows'> {
  const rows = new Map<string, readonly RowGradient[]>()
  for (const { name } of parameters.filter(isLargeTable)) {
    const maker = gradients.has(name) ? graph.makerOf(gradients.get(name)!) : undefined
    const added = maker && addedRows(graph, maker)
    if (added !== undefined) rows.set(name, [added])
  }
  return { dense: new Map([...gradients].filter(([name]) => !rows.has(name))), rows }
}

function isLargeTable({ shape }: Parameter): boolean {
  return shape.length === 2 && shape[0]! >= tableRows
}

function rowOutputs(
  graph: GraphBuilder,
  outputs: Record<string, Value>,
  name: string,
  parts: readonly RowGradient[],
): GradientOutput {
  return {
    kind: 'rows',
    parts: parts.map((part, i) => {
      const suffix = parts.length === 1 ? '' : `.${i}`
      const index = `${name}_index${suffix}`
      const values = `${name}_rows${suffix}`
      outputs[values] = part.values
      outputs[index] = graph.cast(part.index, 'int32')
      return { index, values, count: part.index.shape[0]! }
    }),
  }
}
