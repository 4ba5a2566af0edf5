import type { DataType } from '../tensor'

// What encode and decode share: the numbers of onnx.proto.
// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

/** The field numbers of each message, by onnx.proto's names. */
export const protoFields = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8, metadata: 14, function: 25 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13, sparseInitializer: 15 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7, overload: 8 },
  attribute: {
    name: 1,
    float: 2,
    int: 3,
    string: 4,
    tensor: 5,
    graph: 6,
    floats: 7,
    ints: 8,
    strings: 9,
    type: 20,
    reference: 21,
  },
  function: {
    name: 1,
    input: 4,
    output: 5,
    attribute: 6,
    node: 7,
    opsetImport: 9,
    domain: 10,
    attributeDefault: 11,
    overload: 13,
  },
  tensor: {
    dims: 1,
    dataType: 2,
    floatData: 4,
    int32Data: 5,
    int64Data: 7,
    name: 8,
    rawData: 9,
    doubleData: 10,
    uint64Data: 11,
    externalData: 13,
    dataLocation: 14,
  },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1, sequence: 4 },
  sequenceType: { element: 1 },
  tensorType: { elementType: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const

/** AttributeProto.AttributeType. */
export const attributeTypes = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const

/** TensorProto.DataType. */
export const elementTypes: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
}

const dataTypes = new Map(Object.entries(elementTypes).map(([dtype, type]) => [type, dtype as DataType]))

/** The data type of a TensorProto.DataType; undefined for strings, complex and packed numbers. */
export function dataTypeOf(type: number): DataType | undefined {
  return dataTypes.get(type)
}

/** TensorProto.DataLocation: the data is stored in another file. */
export const externalLocation = 1
