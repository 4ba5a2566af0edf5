import { GraphBuilder } from '../onnx/builder'
import type { Graph, Value } from '../onnx/types'
import type { Tensor } from '../tensor'
import { labelCount, type ModelConfig } from './config'
import type { DropoutSite, Initialization, ModelGraph, Parameter } from './layers'
import { packedLayout, paddedLayout, paddedTokens } from './layouts'
import { packedInputs } from './packing'
import { familyOf } from './registry'

/** A sequence classifier in a graph that is still being written. */
export interface Classifier extends ModelGraph {
  readonly parameters: Parameter[]
  readonly values: Map<string, Value>
  readonly sites: DropoutSite[]
  readonly logits: Value
}

/** The forward graph on a packed batch, with parameters as inputs. */
export function packedClassifier(name: string, config: ModelConfig, training: boolean, groups = 1): Classifier {
  const family = familyOf(config)
  const rules = family.packing(config)
  const graph = new GraphBuilder(name)
  const inputs = packedInputs(graph, rules, groups)
  const [parameters, values, sites] = [[] as Parameter[], new Map<string, Value>(), [] as DropoutSite[]]
  const model: ModelGraph = {
    graph,
    parameter: (parameter: string, shape: readonly number[], initialization: Initialization) =>
      memo(values, parameter, () => {
        parameters.push({ name: parameter, shape, initialization })
        return graph.input(parameter, 'float32', shape)
      }),
    dropout: (site, x, probability) => {
      if (!training || probability === 0) return x
      sites.push({ name: `dropout.${site}`, probability, shape: x.shape })
      return graph.mul(x, graph.input(`dropout.${site}`, 'float32', x.shape))
    },
    checkpoints: [],
  }
  const logits = family.sequenceClassifier(
    model,
    config,
    inputs,
    packedLayout(graph, inputs, rules.heads, family.headSize(config)),
    labelCount(config),
  )
  return { ...model, parameters, values, sites, logits }
}

/** The parameters of a config's model, in the order in which the model uses them. */
export function modelParameters(config: ModelConfig): readonly Parameter[] {
  return packedClassifier('parameters', config, false, 1).parameters
}

/**
 * The model as one file for inference: `input_ids, attention_mask(, token_type_ids)` int64 [batch, sequence] →
 * `logits`, with the weights inside.
 */
export function inferenceGraph(config: ModelConfig, weights: (name: string) => Tensor): Graph {
  const family = familyOf(config)
  const rules = family.packing(config)
  const graph = new GraphBuilder(family.sequenceClassifierName)
  const column = (name: string): Value => graph.input(name, 'int64', ['batch_size', 'sequence_length'])
  const [inputIds, attentionMask] = [column('input_ids'), column('attention_mask')]
  // RoBERTa has one segment, and its tokenizer gives none
  const segmentIds = rules.segments > 1 ? column('token_type_ids') : undefined
  const tokens = paddedTokens(
    graph,
    rules,
    inputIds,
    segmentIds ?? (rules.segments === 1 ? graph.sub(inputIds, inputIds) : undefined),
  )
  const layout = paddedLayout(graph, inputIds, attentionMask, rules.heads, family.headSize(config))
  const values = new Map<string, Value>()
  const model: ModelGraph = {
    graph,
    parameter: name => memo(values, name, () => graph.initializer(name, weights(name))),
    dropout: (_site, x) => x,
    checkpoints: [],
  }
  const logits = family.sequenceClassifier(model, config, tokens, layout, labelCount(config))
  return graph.build({ logits })
}

function memo(values: Map<string, Value>, name: string, make: () => Value): Value {
  const known = values.get(name)
  if (known !== undefined) return known
  const value = make()
  values.set(name, value)
  return value
}
