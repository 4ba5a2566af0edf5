// which initializers of a graph are parameters
import { quoted, TrainerError } from '../errors'
import { log } from '../logging'
import { reachedFrom } from '../lowering/trainable'
import type { RawGraph, RawModel, RawValue } from '../onnx/RawModel'
import type { Tensor } from '../tensor'
import type { Parameter } from './Model'
import { namesMeant, type ParameterPattern, type ParameterPatterns } from './freeze'
import { isUniform } from './ownCopies'

/** How the parameters of a graph are chosen. */
export interface ParameterOptions {
  /** What messages call the file. */
  readonly name: string
  /**
   * Which parameters are trained; unless given all initializers of type float32 with at least one axis that a gradient
   * of the output goes back to.
   */
  readonly trainable?: ParameterPatterns | undefined
}

/**
 * The parameters of a graph: its initializers of type float32 that a gradient of the output goes back to, scalars and
 * frequencies of positions only where `trainable` names them; and statistics, which no optimizer moves.
 * @throws TrainerError ('argument') for a pattern that no initializer has, or only such as have no gradient.
 */
export function parametersOf(model: RawModel, output: string, options: ParameterOptions): readonly Parameter[] {
  const { initializers } = model.graph
  const { carried, frequencies, statistics } = reachedFrom(model, output)
  const floats = [...initializers].filter(([, { dtype }]) => dtype === 'float32').map(([name]) => name)
  const able = new Set(floats.filter(name => carried.has(name) && !statistics.has(name)))
  const named = namedBy(floats, able, options)
  const isParameter = (name: string): boolean =>
    named?.has(name) === true || (able.has(name) && !frequencies.has(name) && initializers.get(name)!.dims.length > 0)
  const parameters = floats.filter(name => isParameter(name) || statistics.has(name))
  const made = parameters.map((name): Parameter => ({
    name,
    shape: initializers.get(name)!.dims,
    initialization: { kind: 'zeros' },
    ...(statistics.has(name) && { isStatistic: true }),
    trainable: !statistics.has(name) && (named?.has(name) ?? true),
  }))
  if (!made.some(({ trainable }) => trainable)) throw nothingToTrain(model.graph, options.name, output)
  const trained = made.filter(({ trainable }) => trainable)
  for (const [name, copy, how] of copies(trained.map(({ name }) => [name, initializers.get(name)!])))
    log(
      'warning',
      `"${name}" and "${copy}"${how} of ${options.name} have the same content: a weight that the model shares was ` +
        'exported twice, and training moves the two apart.',
    )
  warnOfMerged(model, trained, options.name)
  return made
}

/** Scales that are all 1 and biases that are all 0 are made one by exporters that look for equal content. */
function warnOfMerged({ graph }: RawModel, trained: readonly Parameter[], file: string): void {
  const shared = readBySeveral(graph)
  const merged = trained.filter(({ name }) => {
    const tensor = graph.initializers.get(name)!
    return shared.has(name) && tensor.size > 1 && isUniform(tensor)
  })
  if (merged.length === 0) return
  const names = quoted(merged.slice(0, 3).map(({ name }) => name))
  log(
    'warning',
    `${names} of ${file} hold one number everywhere, and several nodes read them: an exporter has perhaps made one of ` +
      'parameters that were equal before training, and they stay one. With PyTorch, export with ' +
      'torch.onnx.export(…, dynamo=True, optimize=False), or export a model that has been trained.',
  )
}

/** The names that more than one node reads. */
function readBySeveral({ nodes }: RawGraph): ReadonlySet<string> {
  const once = new Set<string>()
  const again = new Set<string>()
  for (const { inputs } of nodes) {
    for (const name of new Set(inputs)) {
      if (once.has(name)) again.add(name)
      else once.add(name)
    }
  }
  return again
}

/** The names that `trainable` means, of those that can be trained; undefined where it is not given. */
function namedBy(
  floats: readonly string[],
  able: ReadonlySet<string>,
  { name: file, trainable }: ParameterOptions,
): ReadonlySet<string> | undefined {
  if (trainable === undefined) return undefined
  const patterns = (Array.isArray(trainable) ? trainable : [trainable]) as readonly ParameterPattern[]
  if (patterns.length === 0)
    throw new TrainerError('argument', `trainable is an empty list, so nothing of ${file} would be trained.`, {
      fix: `Leave it out to train all, or name parameters: ${quoted(floats.slice(0, 3))}.`,
    })
  return new Set(
    patterns.flatMap(pattern => {
      const meant = [...namesMeant(pattern, floats, file)]
      const trained = meant.filter(name => able.has(name))
      if (trained.length > 0) return trained
      const problem = `No gradient of the output goes back to ${quoted(meant.slice(0, 3))} of ${file}, so it cannot be trained.`
      throw new TrainerError('argument', problem, {
        fix: 'Statistics, exponents, bounds and fills are constants: leave it out of trainable.',
      })
    }),
  )
}

function nothingToTrain({ inputs }: RawGraph, file: string, output: string): TrainerError {
  const isFixed = ({ type }: RawValue): boolean =>
    type?.dtype === 'float32' && type.shape.length > 0 && type.shape.every(length => typeof length === 'number')
  const given = inputs.filter(isFixed).map(({ name }) => name)
  const initializers =
    'Weights that are Constant nodes are constants: export the graph with its weights as initializers.'
  const artifacts =
    `If ${quoted(given.slice(0, 3))} are weights, it may be one of the files of training artifacts: ` +
    'TrainingArtifacts.fromPretrained(folder) loads these.'
  return new TrainerError('graph', `The output "${output}" of ${file} depends on no float32 initializer with axes.`, {
    fix: given.length === 0 ? initializers : `${initializers} ${artifacts}`,
  })
}

/** Pairs of matrices of the same content, one of them transposed perhaps. Those that hold one number are none. */
function* copies(
  tensors: readonly (readonly [name: string, tensor: Tensor])[],
): Generator<readonly [name: string, copy: string, how: string]> {
  const seen = new Map<string, [string, Tensor][]>()
  for (const [name, tensor] of tensors) {
    if (tensor.dims.length !== 2 || tensor.size < 4 || isUniform(tensor)) continue
    const key = keyOf(tensor)
    const alike = seen.get(key) ?? []
    const other = alike.find(([, one]) => isSame(one, tensor) || isTransposed(one, tensor))
    if (other !== undefined) yield [other[0], name, isSame(other[1], tensor) ? '' : ' (transposed)']
    seen.set(key, [...alike, [name, tensor]])
  }
}

/** The same for any order of the elements. */
function keyOf({ data, dims }: Tensor): string {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length)
  let sum = 0
  let mixed = 0
  for (const word of bits) {
    sum = (sum + word) | 0
    mixed = (mixed + Math.imul(word ^ (word >>> 15), 0x2c1b3c6d)) | 0
  }
  return [dims.toSorted().join(), sum, mixed].join(':')
}

function isSame(a: Tensor, b: Tensor): boolean {
  return String(a.dims) === String(b.dims) && a.data.every((value, i) => value === b.data[i])
}

function isTransposed(a: Tensor, b: Tensor): boolean {
  const [rows = 0, columns = 0] = a.dims
  if (b.dims[0] !== columns) return false
  return a.data.every((value, i) => value === b.data[(i % columns) * rows + Math.floor(i / columns)])
}
