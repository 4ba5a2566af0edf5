import { TrainerError } from '../errors'
import type { Value } from '../onnx/types'
import { Tensor } from '../tensor'
import type { LoweringTable, Site } from './Lowering'

/** What drops elements in training. */
export const dropout: LoweringTable = {
  Dropout: { how: 'x times a mask that is drawn outside; x outside of training', carries: [0], lower: drop },
}

/** ONNX's own, where a node names none. */
const defaultRatio = 0.5

/**
 * Training drops, and nothing else does: a file that was exported for inference has no `training_mode`, and one that
 * was exported in training has true. One that says false is at rest in training too.
 */
function drop(site: Site): readonly (Value | undefined)[] {
  const { graph: g, node, input, inputs, attributes, constant, isRead } = site
  attributes.ignore('seed', 'is_test')
  const x = input(0)
  const ratio = attributes.float('ratio') ?? (inputs[1] === undefined ? defaultRatio : site.numbers(1, 'ratio')[0]!)
  if (!(ratio >= 0 && ratio < 1))
    throw new TrainerError('graph', `its ratio is ${ratio}, but it has to be at least 0 and less than 1.`)
  const mode = constant(inputs[2])
  if (inputs[2] !== undefined && mode === undefined)
    throw new TrainerError('graph', `its training_mode ("${node.inputs[2]}") is known only when the graph runs.`)
  const isOff = mode !== undefined && Number(mode.data[0]) === 0
  const mask = isOff ? undefined : site.dropoutMask(node.name, x, ratio)
  const kept = isRead(1) ? truths(site, x, mask) : undefined
  return [mask === undefined ? x : g.mul(x, mask), kept]
}

/** The second output: what was kept. */
function truths({ graph: g }: Site, x: Value, mask: Value | undefined): Value {
  if (mask !== undefined) return g.greater(mask, 0)
  const yes = g.constant(new Tensor('bool', Uint8Array.of(1), []))
  return g.expand(yes, x)
}
