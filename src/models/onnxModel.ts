import { TrainerError } from '../errors'
import { asGiven, declareGiven } from '../feeds/asGiven'
import type { Limits } from '../feeds/limits'
import { eachPlace } from '../heads/eachPlace'
import { adviceForGraphs } from '../heads/labelAdvice'
import type { Head, Values } from '../heads/Head'
import { sequenceClassification } from '../heads/sequenceClassification'
import type { GraphBuilder } from '../onnx/builder'
import { indexLimits } from '../onnx/indexLimits'
import type { RawModel } from '../onnx/RawModel'
import type { Value } from '../onnx/types'
import type { Model, ModelGraph, Trial } from './Model'
import { probing } from './modelGraph'
import { onnxForward } from './onnxForward'
import { type ChosenOutput, chosenOutput, type OutputOptions } from './onnxOutput'
import { type ParameterOptions, parametersOf } from './onnxParameters'

/** How a graph becomes a model. */
export interface OnnxModelOptions extends OutputOptions, ParameterOptions {}

/**
 * A graph that was made elsewhere as a model: its initializers are its parameters, and one of its outputs is what the
 * head reads.
 * @throws TrainerError ('graph') for a graph without such an output or with an operator that is not known, ('argument')
 * for an output that there is not, and for a pattern of what is trained that no initializer has.
 */
export function onnxModel(model: RawModel, options: OnnxModelOptions): Model<Values> {
  const { name } = options
  const { inputs, write } = onnxForward(model, name)
  const chosen = chosenOutput(model, options)
  const parameters = parametersOf(model, chosen.logits, options)
  const forward = (written: ModelGraph, values: Values): Values => {
    const wanted = [...new Set([...model.graph.outputs.map(output => output.name), chosen.logits])]
    return outputsOf(written.graph, model, chosen, write(written, values, parameters, wanted))
  }
  const trial: Trial = {
    inputs,
    write(given, isTraining) {
      const written = probing(isTraining)
      forward(written, declareGiven(written.graph, given))
      return written
    },
  }
  const probe = probing()
  const { logits } = forward(probe, declareGiven(probe.graph, inputs))
  const head = headOf(logits!, chosen, name)
  const rows = logits!.shape[0]
  const limits: Limits = { file: name, byInput: indexLimits(probe.graph), ...(typeof rows === 'number' && { rows }) }
  return {
    name,
    parameters,
    inputNames: inputs.map(input => input.name),
    head,
    openLengths: true,
    trial,
    layout: () => asGiven(inputs, () => limits),
    declareInference: builder => declareGiven(builder, inputs),
    forward,
    exported: (_, __, outputs) => exported(outputs),
  }
}

/** Where an output of the file is called `logits`, but the loss is taken from what goes into it. */
const activated = 'logits, activated'

/** The file's outputs by name, and `logits`. */
function outputsOf(
  graph: GraphBuilder,
  model: RawModel,
  chosen: ChosenOutput,
  found: ReadonlyMap<string, Value>,
): Values {
  const own = model.graph.outputs.map(({ name }) => [
    name === 'logits' && chosen.logits !== 'logits' ? activated : name,
    found.get(name)!,
  ])
  const logits = found.get(chosen.logits)!
  // one number for each row
  const asColumn = logits.shape.length === 1 ? graph.unsqueeze(logits, [1]) : logits
  return { ...(Object.fromEntries(own) as Values), logits: asColumn }
}

function exported({ [activated]: own, ...outputs }: Values): Values {
  return own === undefined ? outputs : { ...outputs, logits: own }
}

/** @throws TrainerError ('graph') for an output that no head reads. */
function headOf({ dtype, shape }: Value, { output, loss }: ChosenOutput, file: string): Head {
  const width = shape[1]
  if (dtype === 'float32' && shape.length === 2 && typeof width === 'number') {
    const rows = sequenceClassification(width, undefined, { advice: adviceForGraphs })
    return loss === undefined ? rows : rows.withLoss(loss)
  }
  if (dtype === 'float32' && shape.length > 1) return eachPlace(shape, loss)
  const found = shape.length === 0 ? 'one number: a loss already, perhaps' : `${dtype}[${shape.join(', ')}]`
  throw new TrainerError(
    'graph',
    `${file}: the loss is computed from float32 [rows, …], but "${output}" is ${found}.`,
    {
      fix: 'Export the graph so that it ends with the numbers that the loss is computed from, and before the loss.',
    },
  )
}
