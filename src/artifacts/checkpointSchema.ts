// Source: onnxruntime/core/flatbuffers/schema/ort_training_checkpoint.fbs and ort.fbs of ONNX Runtime 1.19.2; fields in
// the order of their slots, under the file's names.

const tensor = {
  name: 'text',
  doc_string: 'text',
  dims: 'int64s',
  data_type: 'int32',
  raw_data: 'bytes',
  string_data: 'texts',
  external_data_offset: 'int64',
} as const

const moduleState = {
  requires_grad_params: { tables: tensor },
  frozen_params: { tables: tensor },
  is_nominal_state: 'int8',
  has_external_data: 'int8',
} as const

const parameterState = { param_name: 'text', momentums: { tables: tensor } } as const

const optimizerGroup = {
  group_name: 'text',
  step: 'int64',
  initial_learning_rate: 'float32',
  optimizer_states: { tables: parameterState },
} as const

const propertyBag = {
  ints: { tables: { name: 'text', value: 'int64' } },
  floats: { tables: { name: 'text', value: 'float32' } },
  strings: { tables: { name: 'text', value: 'text' } },
} as const

export const checkpointSchema = {
  version: 'int32',
  module_state: { table: moduleState },
  optimizer_groups: { tables: optimizerGroup },
  property_bag: { table: propertyBag },
} as const

export type TensorSchema = typeof tensor

export const checkpointIdentifier = 'ODTC'

/** The version that 1.17 and later write, and the only one that they read. */
export const checkpointVersion = 2

/** Versions that can be read: that of 1.15 and 1.16 has the same layout, without nominal states and external data. */
export const readableVersions: readonly number[] = [1, checkpointVersion]

/** The one group that the official optimizers have. */
export const groupName = 'group0'
