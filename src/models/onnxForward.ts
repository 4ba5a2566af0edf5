import { type GivenInput, givenInput } from '../feeds/asGiven'
import type { Values } from '../heads/Head'
import { lower } from '../lowering/lower'
import { switchesOf } from '../lowering/switches'
import type { RawModel } from '../onnx/RawModel'
import type { Value } from '../onnx/types'
import type { ModelGraph, Parameter } from './Model'

/** A graph that was made elsewhere, as what computes its values. */
export interface OnnxForward {
  /** What it takes, but for the inputs that switch it between training and inference. */
  readonly inputs: readonly GivenInput[]
  /** Writes the values of the file that are wanted; parameters take the place of its initializers. */
  write(
    graph: ModelGraph,
    values: Values,
    parameters: readonly Parameter[],
    wanted: readonly string[],
  ): ReadonlyMap<string, Value>
}

/** @throws TrainerError ('file') for an input without a type. */
export function onnxForward(model: RawModel, file: string): OnnxForward {
  const { switches, columns } = switchesOf(model)
  return {
    inputs: columns.map(input => givenInput(input, file)),
    write(graph, values, parameters, wanted) {
      const given = new Map(Object.entries(values))
      for (const { name, shape, initialization, isStatistic } of parameters)
        given.set(name, graph.parameter(name, { shape, initialization, ...(isStatistic && { isStatistic }) }))
      const fixed = new Map([...switches].map(([input, of]) => [input, of(graph.isTraining)]))
      return lower(graph, { model, file, given, fixed, wanted })
    },
  }
}
