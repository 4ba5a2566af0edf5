import type { Geometry, TokenValues } from '../feeds/TokenLayout'
import type { HeadTask } from '../heads/Head'
import type { Value } from '../onnx/types'
import type { ModelConfig } from './config'
import type { FamilyConfig } from './fields'
import type { ModelGraph } from './Model'

/** Two names of one parameter, where `tie_word_embeddings` is not false. */
export interface TiedPair {
  /** Of the parameter that is trained and saved. */
  readonly shared: string
  /** Of the parameter that a model has in its place where the two are not tied. */
  readonly own: string
}

/** The layers of a head behind an encoder. */
export interface HeadLayers {
  /** The model's class in Python, which `architectures` in the config names. */
  readonly className: string
  /** What of it `tie_word_embeddings` ties. */
  readonly tied?: readonly TiedPair[]
  /** Encodings of the tokens that the head reads → `width` numbers for each. */
  write(model: ModelGraph, config: ModelConfig, encoded: Value, width: number): Value
}

/** What a model without a head has behind its encoder. */
export interface BaseLayers {
  /** The model's class in Python. */
  readonly className: string
  /** What it makes of each row's first token, if it does. */
  pool?(model: ModelGraph, config: ModelConfig, first: Value): Value
}

/** A family of transformer encoders: how a config becomes a graph. */
export interface Architecture {
  /** The fields of its configs; `geometry`, `encode` and the heads are given configs that have them all, checked. */
  readonly config: FamilyConfig
  /** What the names of the encoder's parameters begin with when there is a head. */
  readonly prefix: string
  /** Other names that checkpoints have for parameters: what to look for in a tensor's name, and its replacement. */
  readonly renames?: (config: ModelConfig) => readonly (readonly [RegExp, string])[]
  /** The columns that the model takes beside labels. */
  readonly inputNames: readonly string[]
  geometry(config: ModelConfig): Geometry
  /** [tokens, width], or each row's first token, [batch, width], if the head reads no other. */
  encode(model: ModelGraph, config: ModelConfig, tokens: TokenValues, reads: 'first' | 'all'): Value
  /** The model without a head. */
  readonly base?: BaseLayers
  /** The layers of each task that Python has a class for. */
  readonly heads: { readonly [T in HeadTask]?: HeadLayers }
}
