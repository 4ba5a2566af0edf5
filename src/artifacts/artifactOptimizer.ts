// the optimizers of artifacts: as nodes of ONNX Runtime Training, and as a graph of ordinary operators
import { bufferEnding } from '../auto/artifactFiles'
import { nearest, TrainerError } from '../errors'
import { GraphBuilder } from '../onnx/builder'
import type { ForeignNode } from '../onnx/encode'
import type { Graph, Value } from '../onnx/types'
import { shown, withDefaults } from '../options'
import type { Tensor } from '../tensor'
import type { Parameter } from '../models/Model'
import { type AdamWAttributes, fileAdamw, inFloat32 } from './fileAdamw'
import { momentNames, momentSequences } from './names'

/** AdamW as artifacts have it; each option with Python's default. */
export interface AdamWArtifact {
  readonly name: 'adamw'
  readonly betas?: readonly [number, number] // [0.9, 0.999]
  readonly epsilon?: number // 1e-6
  readonly weightDecay?: number // 0
  /** Whether moments are corrected for their start at zero. Default true. */
  readonly biasCorrection?: boolean
  /** Whose AdamW: 'huggingface' adds ε to √v before the correction and decays the weights after the step. Default 'huggingface', as Python's. */
  readonly mode?: 'huggingface' | 'torch'
  /** The largest norm of all gradients together; none unless given. */
  readonly maxGradNorm?: number | undefined
}

/** Stochastic gradient descent as artifacts have it: without momentum. */
export interface SgdArtifact {
  readonly name: 'sgd'
  /** The largest norm of all gradients together; none unless given. */
  readonly maxGradNorm?: number | undefined
}

/** An optimizer of artifacts, by name or with options. */
export type ArtifactOptimizer = 'adamw' | 'sgd' | AdamWArtifact | SgdArtifact

/** An optimizer with everything decided: what ONNX Runtime Training's nodes say. */
export interface OptimizerNodes {
  readonly maxNorm: number | undefined
  /** AdamWOptimizer's attributes; SGDOptimizerV2 has none. */
  readonly adamw: AdamWAttributes | undefined
}

/** @throws TrainerError ('argument') for an optimizer, an option or a number that cannot be. */
export function optimizerNodes(optimizer: ArtifactOptimizer): OptimizerNodes {
  const given = typeof optimizer === 'string' ? { name: optimizer } : optimizer
  const name: unknown = typeof given === 'object' && given !== null ? given.name : given
  if (name === 'sgd') {
    const { maxGradNorm } = withDefaults<Required<SgdArtifact>>(
      given as SgdArtifact,
      { name, maxGradNorm: undefined },
      "The optimizer 'sgd'",
    )
    return { maxNorm: checkedNorm(maxGradNorm), adamw: undefined }
  }
  if (name === 'adamw') return adamwNodes(given as AdamWArtifact)
  const near = nearest(String(name).toLowerCase(), ['adamw', 'sgd'])
  throw new TrainerError('argument', `optimizer is ${shown(optimizer)}; artifacts have 'adamw' and 'sgd'.`, {
    ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
  })
}

function adamwNodes(given: AdamWArtifact): OptimizerNodes {
  const defaults: Required<AdamWArtifact> = {
    name: 'adamw',
    betas: [0.9, 0.999],
    epsilon: 1e-6,
    weightDecay: 0,
    biasCorrection: true,
    mode: 'huggingface',
    maxGradNorm: undefined,
  }
  const { betas, epsilon, weightDecay, biasCorrection, mode, maxGradNorm } = withDefaults(
    given,
    defaults,
    "The optimizer 'adamw'",
  )
  const isPair = Array.isArray(betas) && betas.length === 2
  if (!isPair || !betas.every(beta => typeof beta === 'number' && beta >= 0 && beta < 1))
    throw new TrainerError('argument', `betas are ${JSON.stringify(betas)}; two numbers from 0 up to 1 were expected.`)
  for (const [option, value] of Object.entries({ epsilon, weightDecay })) {
    if (!Number.isFinite(value) || value < 0)
      throw new TrainerError('argument', `${option} is ${shown(value)}; a number of at least 0 was expected.`)
  }
  if (mode !== 'huggingface' && mode !== 'torch')
    throw new TrainerError('argument', `mode is ${shown(mode)}; 'huggingface' or 'torch' was expected.`)
  if (mode === 'torch' && !biasCorrection)
    throw new TrainerError('argument', "AdamWOptimizer's mode 'torch' has no form without biasCorrection.")
  return {
    maxNorm: checkedNorm(maxGradNorm),
    adamw: {
      alpha: betas[0],
      beta: betas[1],
      epsilon,
      weight_decay: weightDecay,
      correct_bias: biasCorrection ? 1 : 0,
      adam_mode: mode === 'torch' ? 0 : 1,
    },
  }
}

function checkedNorm(norm: number | undefined): number | undefined {
  if (norm === undefined || (Number.isFinite(norm) && norm > 0)) return norm
  throw new TrainerError('argument', `maxGradNorm is ${shown(norm)}; a number above 0 was expected.`, {
    fix: 'Leave it out where gradients are not clipped.',
  })
}

/** What follows a parameter's name in those of its moments. */
function momentEndings({ adamw }: OptimizerNodes): readonly string[] {
  return adamw === undefined ? [] : momentNames.map(name => `.${name}`)
}

// ── ONNX Runtime Training's nodes ──

const learningRate: Value = { name: 'learning_rate', dtype: 'float32', shape: [1] }
const step: Value = { name: 'step', dtype: 'int64', shape: [1] }
const updated: Value = { name: 'updated', dtype: 'bool', shape: [1] }

/** The optimizer's graph, but for its nodes and its inputs that are sequences. */
export const trainingOptimizerGraph: Graph = {
  name: 'optimizer',
  inputs: [learningRate, step],
  outputs: [updated],
  initializers: new Map(),
  nodes: [],
}

/** The sequences that ONNX Runtime Training feeds, in its order. */
export function optimizerSequences({ adamw }: OptimizerNodes): Readonly<Record<string, 'float32'>> {
  const names = ['params', 'gradients', ...momentSequences.slice(0, adamw === undefined ? 1 : 2)]
  return Object.fromEntries(names.map(name => [name, 'float32' as const]))
}

/** The optimizer in ONNX Runtime Training's operators. */
export function optimizerForeignNodes({ maxNorm, adamw }: OptimizerNodes): readonly ForeignNode[] {
  const domain = 'com.microsoft'
  const gradients = maxNorm === undefined ? 'gradients' : 'clipped_gradients'
  const clip: ForeignNode = {
    op: 'InplaceClipGradNorm',
    domain,
    name: 'InplaceClipGradNorm',
    inputs: ['gradients'],
    outputs: ['clipped_gradients'],
    attributes: { max_norm: ['float', maxNorm ?? 1] },
  }
  const outputs = [updated.name]
  const update: ForeignNode =
    adamw === undefined
      ? // the schema's order: weights, then gradients
        {
          op: 'SGDOptimizerV2',
          domain,
          name: 'SGDOptimizerV2',
          inputs: ['learning_rate', 'params', gradients],
          outputs,
        }
      : {
          op: 'AdamWOptimizer',
          domain,
          name: 'AdamWOptimizer',
          inputs: ['learning_rate', 'step', 'params', gradients, ...momentSequences],
          outputs,
          attributes: {
            alpha: ['float', adamw.alpha],
            beta: ['float', adamw.beta],
            epsilon: ['float', adamw.epsilon],
            weight_decay: ['float', adamw.weight_decay],
            correct_bias: ['int', adamw.correct_bias],
            adam_mode: ['int', adamw.adam_mode],
          },
        }
  return maxNorm === undefined ? [update] : [clip, update]
}

/** The same nodes as JSON, for the metadata of a graph of ordinary operators. */
export function optimizerMetadata({ maxNorm, adamw }: OptimizerNodes): string {
  const update = adamw === undefined ? { op: 'SGDOptimizerV2' } : { op: 'AdamWOptimizer', ...adamw }
  return JSON.stringify([...(maxNorm === undefined ? [] : [{ op: 'InplaceClipGradNorm', max_norm: maxNorm }]), update])
}

// ── ordinary operators ──

/** The optimizer of parameters as one graph of ordinary operators. */
export function portableOptimizerGraph(nodes: OptimizerNodes, parameters: readonly Parameter[]): Graph {
  const graph = new GraphBuilder('optimizer')
  const rate = graph.squeeze(graph.input(learningRate.name, 'float32', [1]), [0])
  const count = graph.squeeze(graph.input(step.name, 'int64', [1]), [0])
  const declare = (ending: string): readonly Value[] =>
    parameters.map(({ name, shape }) => graph.input(`${name}${ending}`, 'float32', shape))
  const weights = declare('')
  const given = declare(bufferEnding)
  const moments = momentEndings(nodes).map(declare)
  const gradients = nodes.maxNorm === undefined ? given : clipped(graph, given, nodes.maxNorm)
  const update = nodes.adamw === undefined ? undefined : adamwUpdate(graph, nodes.adamw, rate, count)
  const outputs = parameters.map((_, i) => {
    const [weight, gradient] = [weights[i]!, gradients[i]!]
    return update === undefined
      ? [graph.sub(weight, graph.mul(gradient, rate))]
      : update(weight, gradient, moments[0]![i]!, moments[1]![i]!)
  })
  const named = ['', ...momentEndings(nodes)].flatMap((ending, at) =>
    parameters.map(({ name }, i) => [`${name}${ending}.out`, outputs[i]![at]!] as const),
  )
  return graph.build(Object.fromEntries(named))
}

/** Gradients whose norm, of all together, is at most `maxNorm`. */
function clipped(graph: GraphBuilder, gradients: readonly Value[], maxNorm: number): readonly Value[] {
  const squares = gradients.map(gradient =>
    graph.reduceSumSquare(
      gradient,
      gradient.shape.map((_, axis) => axis),
    ),
  )
  const norm = graph.sqrt(squares.reduce((sum, square) => graph.add(sum, square)))
  const coefficient = graph.min(graph.div(graph.constant(maxNorm), graph.add(norm, 1e-6)), 1)
  return gradients.map(gradient => graph.mul(gradient, coefficient))
}

type Update = (weight: Value, gradient: Value, first: Value, second: Value) => readonly Value[]

/** AdamWOptimizer's formula in either mode. */
function adamwUpdate(graph: GraphBuilder, given: AdamWAttributes, rate: Value, count: Value): Update {
  const attributes = inFloat32(given)
  const { alpha, beta, correct_bias: corrects, adam_mode: mode, weight_decay } = attributes
  // in float64: 1 - βᵗ loses its digits in float32 where t is small
  const correction = (decayRate: number): Value => {
    const power = graph.pow(graph.constant(decayRate, 'float64'), graph.cast(count, 'float64'))
    return graph.cast(graph.sub(1, power), 'float32')
  }
  const first = corrects === 1 ? correction(alpha) : graph.constant(1)
  const root = corrects === 1 ? graph.sqrt(correction(beta)) : graph.constant(1)
  const scalars = {
    step_size: graph.div(mode === 0 ? rate : graph.mul(rate, root), first),
    root_correction: mode === 0 ? graph.reciprocal(root) : graph.constant(1),
    kept: graph.sub(1, graph.mul(rate, weight_decay)),
  }
  const { update } = fileAdamw(attributes)
  return (parameter, gradient, exp_avg, exp_avg_sq) => {
    const { parameter: next, slots } = update(graph, { parameter, gradient, slots: { exp_avg, exp_avg_sq }, scalars })
    return [next, slots.exp_avg!, slots.exp_avg_sq!]
  }
}

/**
 * What training starts from, for a runtime that reads no checkpoints: no inputs → the parameters, the trained ones' buffers and moments (zeros), all under
 * the names by which the other graphs take them.
 */
export function initialGraph(
  nodes: OptimizerNodes | undefined,
  parameters: readonly Parameter[],
  trained: ReadonlySet<string>,
  weights: (name: string) => Tensor,
): Graph {
  const graph = new GraphBuilder('initial')
  const endings = [bufferEnding, ...(nodes === undefined ? [] : momentEndings(nodes))]
  const values = parameters.map(({ name }) => [name, graph.initializer(`${name}.initial`, weights(name))] as const)
  const zeros = endings.flatMap(ending =>
    parameters
      .filter(({ name }) => trained.has(name))
      .map(({ name, shape }) => {
        const [zero] = graph.node('Expand', [graph.constant(0), graph.integers(shape)], {})
        return [`${name}${ending}`, zero!] as const
      }),
  )
  return graph.build(Object.fromEntries([...values, ...zeros]))
}
