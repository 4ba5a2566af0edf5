import { readOnnxFile } from '../auto/onnxFile'
import { nearest, quoted, TrainerError } from '../errors'
import { declareGiven } from '../feeds/asGiven'
import type { Values } from '../heads/Head'
import { namesMeant } from '../models/freeze'
import type { Parameter } from '../models/Model'
import { onnxForward } from '../models/onnxForward'
import { parametersOf } from '../models/onnxParameters'
import type { RawModel } from '../onnx/RawModel'
import type { ArtifactModel, ArtifactSource } from './ArtifactSource'
import type { ParameterChoice } from './chosenParameters'

/** What of a file is named by who makes artifacts of it. */
export interface FileModelOptions extends ParameterChoice {
  readonly lossInputNames?: readonly string[] | undefined
  readonly additionalOutputNames?: readonly string[] | undefined
}

/**
 * An ONNX file as what artifacts are made of: its outputs as they are, and values within it that are named.
 * @throws TrainerError ('file') when it cannot be read, ('graph') for an operator that is not known, ('argument') for names that there are not.
 */
export async function fileModel(file: string, options: FileModelOptions): Promise<ArtifactSource> {
  const raw = await readOnnxFile(file)
  const { inputs, write } = onnxForward(raw, file)
  const outputs = raw.graph.outputs.map(({ name }) => name)
  const made = new Set(raw.graph.nodes.flatMap(node => node.outputs))
  const { lossInputNames = [], additionalOutputNames = [] } = options
  const within = [...lossInputNames, ...additionalOutputNames].filter(name => made.has(name))
  const wanted = [...new Set([...outputs, ...within])]
  const parameters = fileParameters(raw, file, lossOutput(file, wanted, options), options)
  const model: ArtifactModel = {
    name: file,
    parameters,
    openLengths: true,
    declareInference: graph => declareGiven(graph, inputs),
    forward: (written, values) => Object.fromEntries(write(written, values as Values, parameters, wanted)),
  }
  return { model, weights: name => raw.graph.initializers.get(name)! }
}

/** The output that decides which initializers are parameters: what the loss is computed from, or the loss. */
function lossOutput(file: string, names: readonly string[], { lossInputNames }: FileModelOptions): string {
  const name = lossInputNames?.[0] ?? (names.includes('logits') ? 'logits' : names[0])
  if (name !== undefined && names.includes(name)) return name
  const near = nearest(name ?? '', names)
  throw new TrainerError(
    'argument',
    `lossInputNames names "${name}", but the outputs of ${file} are ${quoted(names)}.`,
    {
      ...(near !== undefined && { fix: `Did you mean "${near}"?` }),
    },
  )
}

/** The parameters by what a gradient goes back to, and any other float32 initializer that is named as frozen. */
function fileParameters(
  raw: RawModel,
  file: string,
  output: string,
  { requiresGrad, frozenParams }: ParameterChoice,
): readonly Parameter[] {
  const { initializers } = raw.graph
  const found = parametersOf(raw, output, { name: file, trainable: requiresGrad })
  const floats = [...initializers].filter(([, { dtype }]) => dtype === 'float32').map(([name]) => name)
  const frozen = frozenParams === undefined ? new Set<string>() : namesMeant(frozenParams, floats, file)
  const known = new Map(found.map(parameter => [parameter.name, parameter]))
  return floats.flatMap((name): Parameter | readonly Parameter[] => {
    const parameter = known.get(name)
    if (parameter !== undefined) return parameter
    const { dims: shape } = initializers.get(name)!
    return frozen.has(name) ? { name, shape, initialization: { kind: 'zeros' }, trainable: false } : []
  })
}
