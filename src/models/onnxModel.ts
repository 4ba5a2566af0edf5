import { TrainerError } from '../errors'
import { asGiven, declareGiven } from '../feeds/asGiven'
import type { Head, Values } from '../heads/Head'
import { lower } from '../lowering/lower'
import type { RawModel } from '../onnx/readModel'
import { describe } from '../onnx/shapes'
import type { ValueType } from '../onnx/types'
import type { Tensor } from '../tensor'
import type { Model, Parameter } from './Model'
import { namesMeant, type ParameterPatterns } from './freeze'

/** How a graph becomes a model. */
export interface OnnxModelOptions {
  /** What messages call it. */
  readonly name: string
  /** Makes the head for the width of the output that it reads: [rows, width]. */
  head(width: number): Head
  /** Which parameters are trained, all unless given: the initializers of type float32 with at least one axis. */
  readonly trainable?: ParameterPatterns | undefined
}

/**
 * A graph that was made elsewhere as a model: its initializers are its parameters, its output `logits`, or else
 * its first one, is what the head reads.
 * @throws TrainerError ('graph') for a graph without such an output [rows, width], ('argument') for a pattern of what is
 * trained that no initializer has.
 */
export function onnxModel(model: RawModel, options: OnnxModelOptions): Model<Values> {
  const { graph } = model
  const { output, width } = readOutput(model, options.name)
  const inputs = graph.inputs.map(({ name, type }) => {
    if (type !== undefined) return { name, ...type }
    throw new TrainerError('file', `${options.name}: the input "${name}" has no type and shape.`)
  })
  const parameters = parametersOf(model, options)
  const wanted = graph.outputs.map(({ name }) => name)
  return {
    name: options.name,
    parameters,
    inputNames: inputs.map(({ name }) => name),
    head: options.head(width),
    openLengths: true,
    layout: () => asGiven(inputs),
    declareInference: builder => declareGiven(builder, inputs),
    forward(written, values) {
      const given = new Map(Object.entries(values))
      for (const { name, shape, initialization } of parameters)
        given.set(name, written.parameter(name, { shape, initialization }))
      const found = lower(written, { model, file: options.name, given, wanted })
      return { ...Object.fromEntries(found), logits: found.get(output)! }
    },
  }
}

/** The output that the head reads, and its width. @throws TrainerError ('graph') where there is none. */
function readOutput({ graph }: RawModel, file: string): { output: string; width: number } {
  const output = graph.outputs.find(({ name }) => name === 'logits') ?? graph.outputs[0]
  const type: ValueType | undefined = output?.type
  const width = type?.shape[1]
  if (output !== undefined && type?.dtype === 'float32' && type.shape.length === 2 && typeof width === 'number')
    return { output: output.name, width }
  const found =
    output === undefined ? 'it has none' : `it is ${type === undefined ? 'of no known type' : describe(type)}`
  throw new TrainerError(
    'graph',
    `The output of ${file} that is called "logits", or else its first, has to be float32 [rows, width], but ${found}.`,
    { fix: 'Export the graph so that it ends with the numbers that the loss is computed from, and before the loss.' },
  )
}

function parametersOf({ graph }: RawModel, { name, trainable }: OnnxModelOptions): readonly Parameter[] {
  const floats = [...graph.initializers].filter(([, { dtype }]) => dtype === 'float32')
  const trained =
    trainable === undefined
      ? undefined
      : namesMeant(
          trainable,
          floats.map(([known]) => known),
          name,
        )
  return floats
    .filter(([known, { dims }]) => dims.length > 0 || trained?.has(known) === true)
    .map(([known, { dims }]: [string, Tensor]) => ({
      name: known,
      shape: dims,
      initialization: { kind: 'zeros' },
      trainable: trained?.has(known) ?? true,
    }))
}
