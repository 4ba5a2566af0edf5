import { nearest, TrainerError } from '../errors'
import { type AttributeKind, type Attributes, operators, type OpName } from './operators'
import { nodeName, operatorName, type RawNode } from './RawModel'
import { dataTypeOf } from './wire'

export const exportAgain = 'Export the model again with opset 18.'

/** @throws TrainerError when the operator is not in our table, or means something else in this opset. */
export function knownOperator(raw: RawNode, opset: number): OpName {
  const { op, domain } = raw
  const known = Object.hasOwn(operators, op) ? operators[op as OpName] : undefined
  // ONNX adopted the exact Gelu from com.microsoft in opset 20
  if (known !== undefined && (known.domain === domain || (op === 'Gelu' && opset >= 20))) {
    if (op === 'LayerNormalization' && opset < 17) {
      throw new TrainerError(
        'graph',
        `${nodeName(raw)}: opset ${opset} has no LayerNormalization; it was added in opset 17.`,
      )
    }
    return op as OpName
  }
  const like = nearest(op, Object.keys(operators))
  const hint = like === undefined ? '' : ` (the closest known one is ${like})`
  const problem = `The node "${raw.name}" uses the operator ${operatorName(raw)}, which cannot be read${hint}.`
  throw new TrainerError('graph', problem, {
    fix: `Operators that can be read: ${Object.keys(operators).join(', ')}.`,
  })
}

/** Attributes that newer or older opsets have, and the values at which they have no effect. */
const neutral: Readonly<Record<string, number | string>> = { stash_type: 1, saturate: 1, approximate: 'none' }

/**
 * The attributes by the kinds that the operator table gives them.
 * @throws TrainerError when the operator has no such attribute, or it means something else in this opset
 */
export function decodeAttributes(raw: RawNode, op: OpName, opset: number): Readonly<Attributes[OpName]> {
  const kinds = operators[op].attributes
  const attributes: Record<string, unknown> = {}
  for (const [name, value] of raw.attributes) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) {
      if (Object.hasOwn(neutral, name) && neutral[name] === value) continue
      const isOld = op.startsWith('Reduce') && name === 'axes'
      const old = isOld ? `; before opset 18 its axes were an attribute, and this model uses opset ${opset}` : ''
      throw new TrainerError(
        'graph',
        `${nodeName(raw)} has the attribute ${name} = ${String(value)}, which cannot be read${old}.`,
        { fix: exportAgain },
      )
    }
    attributes[name] = fitted(raw, name, kind, value)
  }
  // before opset 18 a split without lengths was always into equal parts
  if (op === 'Split' && (raw.inputs[1] ?? '') === '') attributes['num_outputs'] ??= raw.outputs.length
  return attributes as Attributes[OpName]
}

/** An attribute's value, if it is of the kind. @throws TrainerError ('file') naming the node otherwise. */
export function fitted(raw: RawNode, name: string, kind: AttributeKind, value: unknown): unknown {
  const made = kind === 'dtype' ? dataTypeOf(value as number) : value
  const fits =
    kind === 'ints' ? Array.isArray(made) : typeof made === (kind === 'int' || kind === 'float' ? 'number' : 'string')
  if (fits) return made
  const found = `the attribute ${name} = ${String(value)} should be ${wanted[kind]}`
  throw new TrainerError('file', `${nodeName(raw)}: ${found}.`)
}

/** What an attribute of each kind should be, in words. */
const wanted: Readonly<Record<AttributeKind, string>> = {
  int: 'an integer',
  float: 'a number',
  string: 'a string',
  ints: 'a list of integers',
  dtype: 'a known element type',
}
