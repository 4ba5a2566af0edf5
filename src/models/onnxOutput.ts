// which output of a graph the loss is computed from
import { nearest, quoted, TrainerError } from '../errors'
import { log } from '../logging'
import type { LossName } from '../losses/lossNames'
import type { RawGraph, RawModel, RawNode, RawValue } from '../onnx/RawModel'
import { isFloat } from '../onnx/infer'
import { describe } from '../onnx/shapes'

/** How the output that a loss is computed from is chosen. */
export interface OutputOptions {
  /** What messages call the file. */
  readonly name: string
  /** The loss of the output; unless given the first labels decide, or what the output is made by. */
  readonly loss?: LossName | undefined
  /** The output that the loss is computed from: `logits` unless given, or else the only one of a floating-point type. */
  readonly output?: string | undefined
}

/** The output that a loss is computed from. */
export interface ChosenOutput {
  /** Its name in the file. */
  readonly output: string
  /** The value that the loss is computed from: the output, or what goes into the Softmax or Sigmoid that makes it. */
  readonly logits: string
  readonly loss: LossName | undefined
}

/**
 * The output that is named, or is called `logits`, or is the only one of floating-point type; and where it is made by a
 * Softmax or Sigmoid that belongs to the loss, what goes into that.
 * @throws TrainerError ('argument') for a name that no output has; ('graph') where there are several.
 */
export function chosenOutput(model: RawModel, options: OutputOptions): ChosenOutput {
  const output = nameOf(model, options)
  const { loss } = options
  const maker = makerOf(model.graph, output)
  const activation = maker === undefined ? undefined : activationOf(maker, model, output)
  if (activation === undefined || (loss !== undefined && loss !== activation.loss))
    return { output, logits: output, loss }
  log(
    'info',
    `The output "${output}" of ${options.name} is made by a ${maker!.op}: the loss, ${activation.loss}, is computed ` +
      'from what goes into it, and that is what is predicted.',
  )
  return { output, logits: activation.logits, loss: activation.loss }
}

function nameOf({ graph }: RawModel, { name: file, output }: OutputOptions): string {
  const names = graph.outputs.map(({ name }) => name)
  if (output !== undefined) {
    if (names.includes(output)) return output
    const close = nearest(output, names)
    throw new TrainerError('argument', `${file} has no output "${output}": it has ${quoted(names)}.`, {
      ...(close !== undefined && { fix: `Did you mean "${close}"?` }),
    })
  }
  if (names.includes('logits')) return 'logits'
  const floats = graph.outputs.filter(({ type }) => type === undefined || isFloat(type.dtype))
  if (floats.length === 1) return floats[0]!.name
  const listed = graph.outputs.map(told).join(', ')
  const problem =
    names.length === 0
      ? `${file} has no output.`
      : `Which output of ${file} the loss is computed from is not known: ${listed}; none is called "logits".`
  throw new TrainerError('graph', problem, {
    fix: 'Name one with the option output, or export the graph with a head on top.',
  })
}

function told({ name, type }: RawValue): string {
  return `"${name}" is ${type === undefined ? 'of no stated type' : describe(type)}`
}

/** The node that makes a value, whatever names it was handed on under; undefined where that goes round in a circle. */
function makerOf(graph: RawGraph, name: string): RawNode | undefined {
  const makers = new Map(graph.nodes.flatMap(node => node.outputs.slice(0, 1).map(output => [output, node] as const)))
  const seen = new Set<RawNode>()
  let node = makers.get(name)
  while (node?.op === 'Identity' && node.domain === '' && !seen.has(node)) {
    seen.add(node)
    node = makers.get(node.inputs[0] ?? '')
  }
  return node
}

/** What a Softmax over the classes or a Sigmoid makes of which value, and the loss that it belongs to. */
function activationOf(
  { op, domain, inputs, attributes }: RawNode,
  { graph, opsets }: RawModel,
  output: string,
): { readonly logits: string; readonly loss: LossName } | undefined {
  const logits = inputs[0] ?? ''
  if (domain !== '' || logits === '') return undefined
  if (op === 'Sigmoid') return { logits, loss: 'binary_cross_entropy' }
  if (op !== 'Softmax') return undefined
  const rank = graph.outputs.find(({ name }) => name === output)?.type?.shape.length
  const axis = attributes.get('axis') ?? ((opsets.get('') ?? 1) < 13 ? 1 : -1)
  return axis === -1 || (rank !== undefined && axis === rank - 1) ? { logits, loss: 'cross_entropy' } : undefined
}
