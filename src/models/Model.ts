import type { GivenInput } from '../feeds/asGiven'
import type { FeedDemands, FeedLayout } from '../feeds/FeedLayout'
import type { Head, Values } from '../heads/Head'
import type { Loss } from '../losses/loss'
import type { GraphBuilder } from '../onnx/builder'
import type { Dimension, Value } from '../onnx/types'

/** How a parameter starts when no checkpoint has it: Hugging Face's `_init_weights`. */
export type Initialization =
  /** Where a cutoff is given, values beyond that many deviations are drawn again. */
  | { readonly kind: 'normal'; readonly deviation: number; readonly cutoff?: number }
  /** Between -bound and bound, each value as likely. */
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  /** A table's row p: sin(p / 10000^(2i / width)) at 2i, and the cosine at 2i + 1 (Vaswani et al. 2017). */
  | { readonly kind: 'sinusoids' }

/** A parameter of a model, under Hugging Face's name. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly initialization: Initialization
  /** The row of a table, the padding id's, that starts at zero: PyTorch's `padding_idx`. */
  readonly paddingRow?: number | undefined
  /** Whether it is a table of embeddings, whose rows are looked up and multiply nothing. Default false. */
  readonly isTable?: boolean
  /** Whether it is a statistic, which the forward passes of training move, and no optimizer does. Default false. */
  readonly isStatistic?: boolean
  /** Whether training changes it: if not, it has no gradient and the optimizer keeps nothing for it. */
  readonly trainable: boolean
}

/** What of a parameter a model states where it uses it. */
export type StatedParameter = Omit<Parameter, 'name' | 'trainable'>

/** What values are dropped over: each token's, each row's, a table's, all elements of a batch, or the attention of a group of rows. */
export type DroppedOver = 'tokens' | 'rows' | 'table' | 'elements' | { readonly group: number; readonly groups: number }

/** Where a model drops values: a mask, which comes in as an input of the graph. */
export interface DropoutSite {
  /** The input's name. */
  readonly input: string
  /** Numbers to multiply by, or whether an element is kept. */
  readonly dtype: 'float32' | 'bool'
  /** The site's name in the model, which the groups of one attention share. */
  readonly place: string
  readonly probability: number
  /** Of the mask. */
  readonly shape: readonly Dimension[]
  readonly over: DroppedOver
}

/** What a model is written into: a graph that knows parameters by name, and where to drop. */
export interface ModelGraph {
  readonly graph: GraphBuilder
  /** The parameter as a value of the graph; the same name gives the same value. */
  parameter(name: string, stated: StatedParameter): Value
  /** Whether it is written for training. */
  readonly isTraining: boolean
  /** x with a share of its elements dropped and the others enlarged; x itself outside of training or at probability 0. */
  dropout(site: string, x: Value, probability: number, over: DroppedOver): Value
  /**
   * The mask that {@link dropout} would multiply all elements of x by, each on its own; undefined where it drops nothing.
   */
  dropoutMask(site: string, x: Value, probability: number): Value | undefined
  /**
   * What a linear layer's output y becomes: y, unless something is added to the layer.
   * @param layer its name: that of its weight without `.weight`.
   * @param scale what y has been multiplied by.
   */
  adapted(layer: string, x: Value, y: Value, scale: number): Value
  /** Takes note of what a parameter that is a statistic is to be after this forward pass: see `Parameter.isStatistic`. */
  moves(statistic: Value, next: Value): void
  /**
   * Takes note of a value from which what follows it can be computed again: what enters each layer. A model has none or
   * several.
   */
  checkpoint(value: Value): void
}

/**
 * The loss of a model whose graphs have it inside of them, and its gradients with it: neither the head nor the calculus
 * writes them then. Labels are what the head declares.
 */
export interface OwnLoss<Inputs = unknown> {
  /** Writes the model with its loss for evaluation, and returns the outputs by name. */
  evaluation(graph: ModelGraph, inputs: Inputs, labels: Values): { readonly outputs: Values; readonly loss: Loss }
  /** Writes the model with its loss for training, and the gradients of the loss's sum by some of its parameters. */
  training(
    graph: ModelGraph,
    inputs: Inputs,
    labels: Values,
    trained: readonly string[],
  ): { readonly loss: Loss; readonly gradients: ReadonlyMap<string, Value> }
}

/** A graph that was made elsewhere, to be written with inputs of other shapes than it declares. */
export interface Trial {
  /** What it takes, labels among them where the loss is inside of it. */
  readonly inputs: readonly GivenInput[]
  /** Writes it. @throws TrainerError for what does not fit. */
  write(inputs: readonly GivenInput[], isTraining: boolean): Pick<ModelGraph, 'graph'> & Sites
}

/** Where a graph that was written drops values. */
export interface Sites {
  readonly sites: readonly DropoutSite[]
}

/**
 * A forward computation whose parameters are inputs. Who wrote it shows nowhere below: a transformer of ours, or a graph
 * that was made elsewhere.
 *
 * `Inputs` is what a feed is to the model in a graph.
 */
export interface Model<Inputs = unknown> {
  /** What messages call it: its class in Python, or its file. */
  readonly name: string
  /** In the order in which the model uses them. */
  readonly parameters: readonly Parameter[]
  /** The columns of a batch that it takes beside labels. */
  readonly inputNames: readonly string[]
  readonly head: Head
  /** Whether the names of lengths promise nothing in it: see `Graph.openLengths`. Default false. */
  readonly openLengths?: boolean | undefined
  /** Where what the graph says of lengths may be wrong, or says too little: how it is found out. */
  readonly trial?: Trial | undefined
  /** How its batches are fed. */
  layout(demands: FeedDemands): FeedLayout<Inputs>
  /** Declares the inputs of the model as a file for inference. */
  declareInference(graph: GraphBuilder): Inputs
  /**
   * Writes the model into a graph, and returns its outputs by name.
   * @param select takes what the head is to judge out of what it reads; it judges all unless given.
   */
  forward(graph: ModelGraph, inputs: Inputs, select?: (encoded: Value) => Value): Values
  /** Where the model brings its own loss and gradients. */
  readonly ownLoss?: OwnLoss<Inputs>
  /** The outputs of a file for inference, where they are other than those of `forward`. */
  exported?(graph: GraphBuilder, inputs: Inputs, outputs: Values): Values
}
