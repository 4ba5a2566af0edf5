import koffi from 'koffi'
import { sentenceOf, TrainerError } from '../errors'
import { functions, type FunctionName, type Given, type Parameter, type Returned, type Signature } from './functions'
import { addressOf, memoryAt, type Pointer, pointersAt } from './nativeMemory'
import { openNative } from './nativeLibrary'
import { StatusError } from './StatusError'

type Declared = typeof functions
type Inputs<P extends readonly Parameter[]> = P extends readonly [
  infer First extends Parameter,
  ...infer Rest extends readonly Parameter[],
]
  ? First extends 'out'
    ? []
    : [Given[First], ...Inputs<Rest>]
  : []
type Output<R extends keyof Returned, P extends readonly Parameter[]> = P extends readonly [...unknown[], 'out', 'out']
  ? readonly Pointer[]
  : P extends readonly [...unknown[], 'out']
    ? Pointer
    : Returned[R]
type Arguments<K extends FunctionName> = Inputs<Declared[K]['parameters']>
type Result<K extends FunctionName> = Output<Declared[K]['result'], Declared[K]['parameters']>
type Calls = { readonly [K in FunctionName]: (...given: Arguments<K>) => Result<K> }

/**
 * ONNX Runtime's C API: every function of the table as a JavaScript function.
 *
 * What C writes through its last pointers is returned, a status is checked (StatusError), a null pointer is 0n.
 */
export interface Api extends Calls {
  readonly path: string
  readonly version: string
  /** True when this version of the library has the function. */
  has(name: FunctionName): boolean
  /**
   * Calls a function on another thread; the memory that its addresses name must stay alive until the promise settles.
   */
  later<K extends FunctionName>(name: K, ...given: Arguments<K>): Promise<Result<K>>
}

const oldestMinor = 18
const opened = new Map<string, Api>()

/**
 * Opens the library and reads its table of functions; the same file gives the same object.
 * @throws TrainerError 'engine' when it cannot be opened, is not ONNX Runtime, or is older than 1.18.
 */
export function openApi(path: string): Api {
  const known = opened.get(path)
  if (known !== undefined) return known
  const { version, table } = readTable(path)
  const natives = new Map<FunctionName, Native>()
  for (const name of Object.keys(functions) as FunctionName[]) {
    const index = functions[name].index
    if (index < table.length) natives.set(name, bind(name, table[index]!))
  }
  const find = (name: FunctionName): Native => {
    const native = natives.get(name)
    if (native !== undefined) return native
    throw new TrainerError('engine', `ONNX Runtime ${version} (${path}) has no ${name}.`, {
      fix: 'Use a newer version of the library.',
    })
  }
  const calls: Record<string, unknown> = {}
  const api = calls as unknown as Api
  for (const name of Object.keys(functions) as FunctionName[]) calls[name] = callNow(api, name, find)
  const later = (name: FunctionName, ...given: unknown[]): Promise<unknown> => callLater(api, name, find(name), given)
  Object.assign(calls, { path, version, later, has: (name: FunctionName) => natives.has(name) })
  opened.set(path, api)
  return api
}

function readTable(path: string): { version: string; table: BigUint64Array } {
  let base: Pointer
  try {
    base = openNative(path).func('OrtGetApiBase', 'void *', [])() as Pointer
  } catch (cause) {
    throw new TrainerError('engine', `The ONNX Runtime library ${path} does not open: ${sentenceOf(cause)}`, {
      fix:
        'It has to be ONNX Runtime for this system and processor, with the libraries it needs; ' +
        '`ts-trainer doctor` says more.',
      cause,
    })
  }
  const [getApi, getVersion] = pointersAt(base, 2)
  const version = koffi.decode(getVersion, koffi.proto('str', []))() as string
  const minor = Number(version.split('.')[1])
  if (!version.startsWith('1.') || minor < oldestMinor) {
    throw new TrainerError('engine', `ONNX Runtime ${version} (${path}) is too old.`, {
      fix: `Use version 1.${oldestMinor} or later.`,
    })
  }
  const api = koffi.decode(getApi, koffi.proto('void *', ['uint32_t']))(oldestMinor) as Pointer
  const present = Object.values(functions as Record<string, Signature>).filter(({ since }) => since <= minor)
  const length = 1 + Math.max(...present.map(({ index }) => index))
  return { version, table: new BigUint64Array(memoryAt(api, 8 * length)).slice() }
}

interface Native {
  (...given: unknown[]): unknown
  async(...given: unknown[]): void
}

const ctypes: Record<Parameter, string> = {
  pointer: 'void *',
  out: 'void *',
  int: 'int',
  size: 'size_t',
  flag: 'bool',
  text: 'str',
  path: process.platform === 'win32' ? 'str16' : 'str',
}
const cresults: Record<keyof Returned, string> = {
  status: 'void *',
  pointer: 'void *',
  int: 'int',
  text: 'str',
  nothing: 'void',
}

function bind(name: FunctionName, pointer: Pointer): Native {
  const { parameters, result } = functions[name] as Signature
  return koffi.decode(
    pointer,
    koffi.proto(
      cresults[result],
      parameters.map(parameter => ctypes[parameter]),
    ),
  ) as Native
}

// Synchronous calls never nest, so one place for what they write is enough.
const written = new BigUint64Array(new ArrayBuffer(64))
const writtenAt = addressOf(written)

function callNow(
  api: Api,
  name: FunctionName,
  native: (name: FunctionName) => Native,
): (...given: unknown[]) => unknown {
  const { parameters, result } = functions[name] as Signature
  const outputs = outputAddresses(writtenAt, parameters)
  let call: Native | undefined
  return (...given) => {
    call ??= native(name)
    written.fill(0n)
    const returned = call(...given, ...outputs)
    return finish(api, name, result, returned, readOutputs(written, outputs.length))
  }
}

function callLater(api: Api, name: FunctionName, native: Native, given: readonly unknown[]): Promise<unknown> {
  const { parameters, result } = functions[name] as Signature
  const outputs = new BigUint64Array(new ArrayBuffer(64))
  const addresses = outputAddresses(addressOf(outputs), parameters)
  return new Promise((resolve, reject) => {
    native.async(...given, ...addresses, (error: unknown, returned: unknown) => {
      if (error) return reject(error)
      try {
        resolve(finish(api, name, result, returned, readOutputs(outputs, addresses.length)))
      } catch (failure) {
        reject(failure)
      }
    })
  })
}

function outputAddresses(at: Pointer, parameters: readonly Parameter[]): Pointer[] {
  return parameters.filter(parameter => parameter === 'out').map((_, i) => at + BigInt(8 * i))
}

type Outputs = undefined | Pointer | readonly Pointer[]

function readOutputs(from: BigUint64Array, count: number): Outputs {
  return count === 0 ? undefined : count === 1 ? from[0] : Array.from(from.subarray(0, count))
}

/** The result as JavaScript wants it. */
function finish(api: Api, name: string, result: keyof Returned, returned: unknown, outputs: Outputs): unknown {
  if (result === 'status' && returned) {
    const status = returned as Pointer
    const error = new StatusError(name, api.GetErrorCode(status), api.GetErrorMessage(status))
    api.ReleaseStatus(status)
    throw error
  }
  if (outputs !== undefined) return outputs
  if (result === 'pointer') return returned ?? 0n
  return result === 'text' ? (returned ?? '') : result === 'int' ? returned : undefined
}
