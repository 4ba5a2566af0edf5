/** A parameter of C; 'out' is a place of eight bytes that the function writes, always last. */
export type Parameter = 'pointer' | 'int' | 'size' | 'flag' | 'text' | 'path' | 'out'

/** What JavaScript gives for each parameter. */
export interface Given {
  pointer: bigint
  int: number
  size: number
  flag: boolean
  text: string
  path: string // wide characters on Windows
  out: never
}

/** What JavaScript gets for each result; a status is null when all went well. */
export interface Returned {
  status: undefined
  pointer: bigint
  int: number
  text: string
  nothing: undefined
}

/**
 * One function: its place in the OrtApi table, the minor version that brought it (18 for all older ones), and its
 * types.
 */
export interface Signature {
  readonly index: number
  readonly since: number
  readonly result: keyof Returned
  readonly parameters: readonly Parameter[]
}

/**
 * The functions of ONNX Runtime's C API that the engine calls, by onnxruntime_c_api.h.
 *
 * The table of the library only ever grows at its end, so an index holds for every later version.
 */
export const functions = {
  GetErrorCode: { index: 1, since: 18, result: 'int', parameters: ['pointer'] },
  GetErrorMessage: { index: 2, since: 18, result: 'text', parameters: ['pointer'] },
  CreateEnv: { index: 3, since: 18, result: 'status', parameters: ['int', 'text', 'out'] },
  CreateSessionFromArray: {
    index: 8,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer', 'size', 'pointer', 'out'],
  },
  Run: {
    index: 9,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer', 'pointer', 'pointer', 'size', 'pointer', 'size', 'pointer'],
  },
  CreateSessionOptions: { index: 10, since: 18, result: 'status', parameters: ['out'] },
  EnableProfiling: { index: 14, since: 18, result: 'status', parameters: ['pointer', 'path'] },
  EnableMemPattern: { index: 16, since: 18, result: 'status', parameters: ['pointer'] },
  DisableMemPattern: { index: 17, since: 18, result: 'status', parameters: ['pointer'] },
  SetSessionLogSeverityLevel: { index: 22, since: 18, result: 'status', parameters: ['pointer', 'int'] },
  SetSessionGraphOptimizationLevel: { index: 23, since: 18, result: 'status', parameters: ['pointer', 'int'] },
  SetIntraOpNumThreads: { index: 24, since: 18, result: 'status', parameters: ['pointer', 'int'] },
  SetInterOpNumThreads: { index: 25, since: 18, result: 'status', parameters: ['pointer', 'int'] },
  SessionGetInputCount: { index: 30, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  SessionGetOutputCount: { index: 31, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  SessionGetInputTypeInfo: { index: 33, since: 18, result: 'status', parameters: ['pointer', 'size', 'out'] },
  SessionGetInputName: { index: 36, since: 18, result: 'status', parameters: ['pointer', 'size', 'pointer', 'out'] },
  SessionGetOutputName: { index: 37, since: 18, result: 'status', parameters: ['pointer', 'size', 'pointer', 'out'] },
  CreateTensorAsOrtValue: {
    index: 48,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer', 'size', 'int', 'out'],
  },
  CreateTensorWithDataAsOrtValue: {
    index: 49,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer', 'size', 'pointer', 'size', 'int', 'out'],
  },
  IsTensor: { index: 50, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  GetTensorMutableData: { index: 51, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  CastTypeInfoToTensorInfo: { index: 55, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  GetTensorElementType: { index: 60, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  GetDimensionsCount: { index: 61, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  GetDimensions: { index: 62, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'size'] },
  GetTensorTypeAndShape: { index: 65, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  CreateMemoryInfo: { index: 68, since: 18, result: 'status', parameters: ['text', 'int', 'int', 'int', 'out'] },
  CreateCpuMemoryInfo: { index: 69, since: 18, result: 'status', parameters: ['int', 'int', 'out'] },
  AllocatorFree: { index: 76, since: 18, result: 'status', parameters: ['pointer', 'pointer'] },
  GetAllocatorWithDefaultOptions: { index: 78, since: 18, result: 'status', parameters: ['out'] },
  ReleaseStatus: { index: 93, since: 18, result: 'nothing', parameters: ['pointer'] },
  ReleaseMemoryInfo: { index: 94, since: 18, result: 'nothing', parameters: ['pointer'] },
  ReleaseSession: { index: 95, since: 18, result: 'nothing', parameters: ['pointer'] },
  ReleaseValue: { index: 96, since: 18, result: 'nothing', parameters: ['pointer'] },
  ReleaseTypeInfo: { index: 98, since: 18, result: 'nothing', parameters: ['pointer'] },
  ReleaseTensorTypeAndShapeInfo: { index: 99, since: 18, result: 'nothing', parameters: ['pointer'] },
  ReleaseSessionOptions: { index: 100, since: 18, result: 'nothing', parameters: ['pointer'] },
  SessionEndProfiling: { index: 110, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'out'] },
  GetAvailableProviders: { index: 125, since: 18, result: 'status', parameters: ['out', 'out'] },
  ReleaseAvailableProviders: { index: 126, since: 18, result: 'status', parameters: ['pointer', 'int'] },
  AddSessionConfigEntry: { index: 130, since: 18, result: 'status', parameters: ['pointer', 'text', 'text'] },
  CreateAllocator: { index: 131, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'out'] },
  ReleaseAllocator: { index: 132, since: 18, result: 'nothing', parameters: ['pointer'] },
  RunWithBinding: { index: 133, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'pointer'] },
  CreateIoBinding: { index: 134, since: 18, result: 'status', parameters: ['pointer', 'out'] },
  ReleaseIoBinding: { index: 135, since: 18, result: 'nothing', parameters: ['pointer'] },
  BindInput: { index: 136, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'pointer'] },
  BindOutput: { index: 137, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'pointer'] },
  BindOutputToDevice: { index: 138, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'pointer'] },
  GetBoundOutputValues: { index: 140, since: 18, result: 'status', parameters: ['pointer', 'pointer', 'out', 'out'] },
  SessionOptionsAppendExecutionProvider_CUDA_V2: {
    index: 204,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer'],
  },
  CreateCUDAProviderOptions: { index: 205, since: 18, result: 'status', parameters: ['out'] },
  UpdateCUDAProviderOptions: {
    index: 206,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer', 'pointer', 'size'],
  },
  ReleaseCUDAProviderOptions: { index: 208, since: 18, result: 'nothing', parameters: ['pointer'] },
  SessionOptionsAppendExecutionProvider: {
    index: 216,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'text', 'pointer', 'pointer', 'size'],
  },
  MemoryInfoGetDeviceType: { index: 225, since: 18, result: 'nothing', parameters: ['pointer', 'out'] },
  GetBuildInfoString: { index: 254, since: 18, result: 'text', parameters: [] },
  SetDeterministicCompute: { index: 273, since: 18, result: 'status', parameters: ['pointer', 'flag'] },
  AddExternalInitializersFromFilesInMemory: {
    index: 279,
    since: 18,
    result: 'status',
    parameters: ['pointer', 'pointer', 'pointer', 'pointer', 'size'],
  },
  GetKeyValuePairs: { index: 298, since: 22, result: 'nothing', parameters: ['pointer', 'out', 'out', 'out'] },
  RegisterExecutionProviderLibrary: {
    index: 301,
    since: 22,
    result: 'status',
    parameters: ['pointer', 'text', 'path'],
  },
  GetEpDevices: { index: 303, since: 22, result: 'status', parameters: ['pointer', 'out', 'out'] },
  SessionOptionsAppendExecutionProvider_V2: {
    index: 304,
    since: 22,
    result: 'status',
    parameters: ['pointer', 'pointer', 'pointer', 'size', 'pointer', 'pointer', 'size'],
  },
  HardwareDevice_Type: { index: 307, since: 22, result: 'int', parameters: ['pointer'] },
  HardwareDevice_Vendor: { index: 309, since: 22, result: 'text', parameters: ['pointer'] },
  EpDevice_EpName: { index: 312, since: 22, result: 'text', parameters: ['pointer'] },
  EpDevice_EpMetadata: { index: 314, since: 22, result: 'pointer', parameters: ['pointer'] },
  EpDevice_Device: { index: 316, since: 22, result: 'pointer', parameters: ['pointer'] },
  EpDevice_MemoryInfo: { index: 374, since: 23, result: 'pointer', parameters: ['pointer', 'int'] },
  CopyTensors: {
    index: 386,
    since: 23,
    result: 'status',
    parameters: ['pointer', 'pointer', 'pointer', 'pointer', 'size'],
  },
  GetNumHardwareDevices: { index: 397, since: 24, result: 'status', parameters: ['pointer', 'out'] },
  GetHardwareDevices: { index: 398, since: 24, result: 'status', parameters: ['pointer', 'pointer', 'size'] },
  Session_GetEpGraphAssignmentInfo: { index: 407, since: 24, result: 'status', parameters: ['pointer', 'out', 'out'] },
  EpAssignedSubgraph_GetEpName: { index: 408, since: 24, result: 'status', parameters: ['pointer', 'out'] },
  EpAssignedSubgraph_GetNodes: { index: 409, since: 24, result: 'status', parameters: ['pointer', 'out', 'out'] },
  EpAssignedNode_GetName: { index: 410, since: 24, result: 'status', parameters: ['pointer', 'out'] },
  EpAssignedNode_GetOperatorType: { index: 412, since: 24, result: 'status', parameters: ['pointer', 'out'] },
} as const satisfies Record<string, Signature>

/** A function of the C API that the engine calls. */
export type FunctionName = keyof typeof functions
