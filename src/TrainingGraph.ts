import { differentiate } from './autodiff/backward'
import { TrainerError } from './errors'
import { binaryCrossEntropy } from './losses/binaryCrossEntropy'
import { crossEntropy, ignoredIndex } from './losses/crossEntropy'
import type { Loss } from './losses/loss'
import { meanSquaredError } from './losses/meanSquaredError'
import { type Classifier, packedClassifier } from './models/classifier'
import { labelCount, type ModelConfig, type ProblemType } from './models/config'
import type { DropoutSite, Parameter } from './models/layers'
import { GraphBuilder } from './onnx/builder'
import { forProcessor } from './programs/forProcessor'
import { leavesLast } from './onnx/order'
import type { Graph, Value } from './onnx/types'
import type { OptimizedParameter, Optimizer } from './optim/Optimizer'
import { Tensor } from './tensor'

/** What a loss is computed from: graph values, never numbers. */
export interface ModelOutputs {
  readonly logits: Value
}

/**
 * A loss of one's own, called once while the graph is built: it writes operators on `graph`, and returns either a sum
 * and a count, or one scalar that is already divided by `count`, the number of labels in the whole update that are not
 * -100.
 */
export type LossFunction = (outputs: ModelOutputs, labels: Value, count: Value, graph: GraphBuilder) => Value | Loss

/** How the loss is made: chosen by the problem type, with options, or a function. */
export interface LossChoice {
  readonly problemType: ProblemType
  readonly labelSmoothing?: number | undefined
  readonly classWeights?: readonly number[] | undefined
  readonly custom?: LossFunction | undefined
}

/**
 * The program of a model in training, and what it needs. Gradients are those of the loss's sum, named
 * `<parameter>_grad`.
 */
export interface TrainingGraph {
  /** packed batch, labels, masks, parameters → `loss`, `count`, gradients */
  readonly training: Graph
  readonly parameters: readonly Parameter[]
  readonly dropoutSites: readonly DropoutSite[]
  /**
   * Tables whose gradient is given as rows: outputs `<name>_rows` [n, width], to be added up at the rows `<name>_index`
   * [n].
   */
  readonly rowGradients: readonly string[]
}

/**
 * Rows from which on the gradient of a table comes as those rows that were read: words and positions, but not segments.
 */
const tableRows = 128

/**
 * The training program of a sequence classifier. With `rows`, gradients of large embedding tables come as rows; with
 * `checkpointing`, layers are computed again in the backward pass, in place of keeping what they computed.
 */
export function createTrainingGraph(
  config: ModelConfig,
  loss: LossChoice,
  rows: boolean,
  groups = 1,
  checkpointing = false,
): TrainingGraph {
  const training = packedClassifier('training', config, true, groups)
  const { sum, count } = writeLoss(training, config, loss)
  const tables = rows
    ? new Set(training.parameters.filter(p => p.shape.length === 2 && p.shape[0]! >= tableRows).map(p => p.name))
    : new Set<string>()
  const gradients = differentiate(
    training.graph,
    sum,
    training.parameters.map(p => training.values.get(p.name)!),
    {
      rows: tables,
      checkpoints: checkpointing ? training.checkpoints : [],
    },
  )
  const outputs: Record<string, Value> = { loss: sum, count }
  const untrained = new Map(
    training.parameters.map(({ name, initialization }) => [
      name,
      initialization.kind === 'normal' ? initialization.zeroRow : undefined,
    ]),
  )
  for (const [name, gradient] of gradients.dense)
    outputs[`${name}_grad`] = withoutRow(training.graph, gradient, untrained.get(name))
  for (const [name, parts] of gradients.rows) {
    if (parts.length !== 1)
      throw new TrainerError('internal', `internal: the table ${name} is read in ${parts.length} places.`)
    outputs[`${name}_rows`] = withoutRow(training.graph, parts[0]!.values, untrained.get(name), parts[0]!.index)
    outputs[`${name}_index`] = parts[0]!.index
  }
  return {
    training: leavesLast(forProcessor(training.graph.build(outputs))),
    parameters: training.parameters,
    dropoutSites: training.sites,
    rowGradients: [...gradients.rows.keys()],
  }
}

/**
 * The gradient of a table with zeros for one row, the padding id's: of all rows in order, or of those that `index`
 * names.
 */
function withoutRow(graph: GraphBuilder, gradient: Value, row: number | undefined, index?: Value): Value {
  if (row === undefined) return gradient
  const rows =
    index ??
    graph.constant(
      Tensor.from(
        'int32',
        Array.from({ length: gradient.shape[0] as number }, (_, i) => i),
      ),
    )
  const kept = graph.cast(graph.not(graph.equal(rows, row)), 'float32')
  return graph.mul(gradient, graph.unsqueeze(kept, [1]))
}

/**
 * The update of one parameter as a graph: `parameter`, `gradient` (a sum), slots and scalars (`gradient_scale`, `rate`,
 * `weight_decay` and the optimizer's own) → `parameter_out` and `<slot>_out`. Shape [n] for updates that are
 * elementwise, the parameter's own otherwise.
 */
export function updateGraph(optimizer: Optimizer, parameter: OptimizedParameter, flat: boolean): Graph {
  const graph = new GraphBuilder(`${optimizer.name} update`)
  const shapeOf = (shape: readonly number[]): readonly (number | string)[] => (flat ? ['n'] : shape)
  const value = graph.input('parameter', 'float32', shapeOf(parameter.shape))
  const sum = graph.input('gradient', 'float32', shapeOf(parameter.shape))
  const slots = Object.fromEntries(
    Object.entries(optimizer.init(parameter)).map(([name, slot]) => [
      name,
      graph.input(name, 'float32', shapeOf(slot.shape)),
    ]),
  )
  const names = ['rate', 'weight_decay', ...Object.keys(optimizer.scalars?.(1, 1) ?? {})]
  const scale = graph.input('gradient_scale', 'float32', [])
  const scalars = Object.fromEntries(names.map(name => [name, graph.input(name, 'float32', [])]))
  const updated = optimizer.update(graph, { gradient: graph.mul(sum, scale), parameter: value, slots, scalars })
  return graph.build({
    parameter_out: updated.parameter,
    ...Object.fromEntries(Object.entries(updated.slots).map(([name, slot]) => [`${name}_out`, slot])),
  })
}

/** packed batch, labels, parameters → `loss`, `count`, `logits` */
export function createEvaluationGraph(config: ModelConfig, loss: LossChoice, groups = 1): Graph {
  const classifier = packedClassifier('evaluation', config, false, groups)
  const { sum, count } = writeLoss(classifier, config, loss)
  return classifier.graph.build({ loss: sum, count, logits: classifier.logits })
}

/** packed batch, parameters → `logits` */
export function createPredictionGraph(config: ModelConfig, groups = 1): Graph {
  const classifier = packedClassifier('prediction', config, false, groups)
  return classifier.graph.build({ logits: classifier.logits })
}

/** Adds the loss to a classifier's graph. */
function writeLoss({ graph, logits }: Classifier, config: ModelConfig, choice: LossChoice): Loss {
  return graph.scope('loss', () => {
    const labels = labelInput(graph, config, choice.problemType)
    if (choice.custom !== undefined) {
      const items = graph.input('num_items_in_batch', 'float32', [])
      const written = choice.custom({ logits }, labels, items, graph)
      if (typeof written !== 'object' || written === null || !('sum' in written || 'shape' in written)) {
        throw new TrainerError(
          'argument',
          `The loss function has to return a graph value, or a sum and a count, but it returned ${String(written)}.`,
          {
            fix: 'Write the loss with the operators of `graph`: it is called once, while the graph is built.',
          },
        )
      }
      if ('sum' in written) return written
      if (written.shape.length !== 0) {
        throw new TrainerError(
          'argument',
          `The loss function has to return a scalar, but its value has the shape [${written.shape.join(', ')}].`,
          {
            fix: 'Sum it up and divide by the count that it is given.',
          },
        )
      }
      // as a sum over labels, so that micro-batches add up to the update's mean, and batches of an evaluation to that
      // of the whole set
      return {
        sum: graph.mul(written, items),
        count: graph.sum(graph.cast(graph.not(graph.equal(labels, ignoredIndex)), 'float32')),
      }
    }
    return headLoss(graph, logits, labels, choice)
  })
}

/**
 * The loss that belongs to a head: of class ids cross-entropy, else what the config says, else what the number of
 * labels says.
 */
export function standardLoss(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  config: ModelConfig,
  options: Omit<LossChoice, 'problemType' | 'custom'>,
): Loss {
  const otherwise = config.problem_type ?? (labelCount(config) === 1 ? 'regression' : 'multi_label_classification')
  return headLoss(graph, logits, labels, {
    ...options,
    problemType: labels.dtype === 'int32' ? 'single_label_classification' : otherwise,
  })
}

function headLoss(
  graph: GraphBuilder,
  logits: Value,
  labels: Value,
  { problemType, labelSmoothing = 0, classWeights }: LossChoice,
): Loss {
  if (problemType === 'regression') return meanSquaredError(graph, logits, labels)
  if (problemType === 'multi_label_classification') return binaryCrossEntropy(graph, logits, labels)
  return crossEntropy(graph, logits, labels, { labelSmoothing, classWeights })
}

function labelInput(graph: GraphBuilder, config: ModelConfig, problemType: ProblemType): Value {
  if (problemType === 'single_label_classification') return graph.input('labels', 'int32', ['batch'])
  const labels = labelCount(config)
  return graph.input('labels', 'float32', labels === 1 ? ['batch'] : ['batch', labels])
}
