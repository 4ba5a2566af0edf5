import { nearest, TrainerError } from '../errors'
import { type AttributeKind, type Attributes, operators, type OpName } from './operators'
import { asBytes, asIntegers, asNumber, asText, fields } from '../protobuf'
import { attributeTypes, dataTypeOf, protoFields } from './wire'

export const exportAgain = 'Export the model again with opset 18.'

/** A node as the file has it. */
export interface RawNode {
  op: string
  name: string
  domain: string
  readonly inputs: string[]
  readonly outputs: string[]
  readonly attributes: Uint8Array[]
}

/** @param at the node's position, after which one without a name is named */
export function decodeNode(bytes: Uint8Array, at: number): RawNode {
  const number = protoFields.node
  const node: RawNode = { op: '', name: '', domain: '', inputs: [], outputs: [], attributes: [] }
  for (const field of fields(bytes)) {
    switch (field.number) {
      case number.input:
        node.inputs.push(asText(field))
        break
      case number.output:
        node.outputs.push(asText(field))
        break
      case number.name:
        node.name = asText(field)
        break
      case number.opType:
        node.op = asText(field)
        break
      case number.attribute:
        node.attributes.push(asBytes(field))
        break
      case number.domain:
        node.domain = asText(field).replace(/^ai\.onnx$/, '')
        break
    }
  }
  if (node.name === '') node.name = `node_${at}`
  return node
}

/** What errors call a node. */
export function where({ op, name }: RawNode): string {
  return `The node "${name}" (${op})`
}

/** @throws TrainerError when the operator is not in our table, or means something else in this opset. */
export function knownOperator(raw: RawNode, opset: number): OpName {
  const { op, domain } = raw
  const known = Object.hasOwn(operators, op) ? operators[op as OpName] : undefined
  // ONNX adopted the exact Gelu from com.microsoft in opset 20
  if (known !== undefined && (known.domain === domain || (op === 'Gelu' && opset >= 20))) {
    if (op === 'LayerNormalization' && opset < 17) {
      throw new TrainerError(
        'graph',
        `${where(raw)}: opset ${opset} has no LayerNormalization; it was added in opset 17.`,
      )
    }
    return op as OpName
  }
  const written = domain === '' ? op : `${domain}.${op}`
  const like = nearest(op, Object.keys(operators))
  const hint = like === undefined ? '' : ` (the closest known one is ${like})`
  throw new TrainerError('graph', `The node "${raw.name}" uses the operator ${written}, which cannot be read${hint}.`, {
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
  for (const bytes of raw.attributes) {
    const { name, value } = decodeAttribute(bytes)
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) {
      if (Object.hasOwn(neutral, name) && neutral[name] === value) continue
      const isOld = op.startsWith('Reduce') && name === 'axes'
      const old = isOld ? `; before opset 18 its axes were an attribute, and this model uses opset ${opset}` : ''
      throw new TrainerError(
        'graph',
        `${where(raw)} has the attribute ${name} = ${String(value)}, which cannot be read${old}.`,
        { fix: exportAgain },
      )
    }
    attributes[name] = fitted(raw, name, kind, value)
  }
  // before opset 18 a split without lengths was always into equal parts
  if (op === 'Split' && (raw.inputs[1] ?? '') === '') attributes['num_outputs'] ??= raw.outputs.length
  return attributes as Attributes[OpName]
}

function decodeAttribute(bytes: Uint8Array): { name: string; value: unknown } {
  const number = protoFields.attribute
  const ints: number[] = []
  let name = ''
  let type = 0
  let value: unknown
  for (const field of fields(bytes)) {
    switch (field.number) {
      case number.name:
        name = asText(field)
        break
      case number.type:
        type = asNumber(field)
        break
      case number.float:
        value = shortest(asNumber(field))
        break
      case number.int:
        value = asNumber(field)
        break
      case number.string:
        value = asText(field)
        break
      case number.ints:
        for (const item of asIntegers(field)) ints.push(Number(item))
        break
    }
  }
  return { name, value: type === attributeTypes.ints ? ints : value }
}

function fitted(raw: RawNode, name: string, kind: AttributeKind, value: unknown): unknown {
  const made = kind === 'dtype' ? dataTypeOf(value as number) : value
  const fits =
    kind === 'ints' ? Array.isArray(made) : typeof made === (kind === 'int' || kind === 'float' ? 'number' : 'string')
  if (fits) return made
  throw new TrainerError('file', `${where(raw)}: the attribute ${name} = ${String(value)} should be ${wanted[kind]}.`)
}

/** What an attribute of each kind should be, in words. */
const wanted: Readonly<Record<AttributeKind, string>> = {
  int: 'an integer',
  float: 'a number',
  string: 'a string',
  ints: 'a list of integers',
  dtype: 'a known element type',
}

/** The shortest decimal number that a float32 stands for: 1e-12 comes back as it was written. */
function shortest(float: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return float
}
