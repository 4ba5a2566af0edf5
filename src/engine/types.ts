/**
 * What the rest of the library asks of an engine: a model's bytes in, named tensors in and out, buffers that stay on a
 * device. onnxruntime-web can do all of it. What it cannot do in the same way is marked as a capability: an engine may
 * leave it out, or do it more slowly, as the member says.
 */
import type { DataType, Tensor } from '../tensor'

/** A tensor that stays on a device; only the engine that made it can read it. */
export interface DeviceBuffer {
  readonly dtype: DataType
  readonly dims: readonly number[]
  /** Frees the device's memory; safe to call twice, and while a run uses it. */
  dispose(): void
}

/**
 * What goes into a program and comes out: on the processor a tensor (its typed array, shared or not), on a device a
 * handle.
 */
export type EngineValue = Tensor | DeviceBuffer

/** Named values, in any order. */
export type EngineValues = Readonly<Record<string, EngineValue>>

/** How one program is loaded. */
export interface ProgramOptions {
  /** What errors call it; default 'program'. */
  readonly name?: string
  /** How far ONNX Runtime rewrites the graph; default 'all'. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all'
  /** The content of the external data files that the model names, by file name. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>
  /**
   * Reuse one memory plan for equal input shapes; default false, since with changing lengths the memory keeps growing.
   */
  readonly memoryPattern?: boolean
  /**
   * A capability: profile every run. The prefix of the file that `endProfiling` names; default: no profile. An engine
   * without files ignores it.
   */
  readonly profile?: string
  /**
   * A capability: ONNX Runtime's session configuration, by its own keys, such as 'session.disable_cpu_ep_fallback'.
   * Which keys there are depends on the build.
   */
  readonly sessionConfig?: Readonly<Record<string, string>>
}

/** An input of a program; a dimension that may change is -1. */
export interface ProgramInput {
  readonly name: string
  readonly dtype: DataType
  readonly dims: readonly number[]
}

/** A node of a program that is left to the processor. */
export interface StrayNode {
  readonly op: string
  readonly name: string
}

/** How one run goes. */
export interface RunOptions {
  /** Outputs that stay on the device as buffers; on the processor this changes nothing. */
  readonly keep?: readonly string[]
  /**
   * Whether a run on the processor may hold the calling thread: a short one is done sooner there than handed to another
   * thread. On a device this changes nothing. Default false.
   */
  readonly blocking?: boolean
}

/** A graph, loaded and ready to run. */
export interface Program {
  /** In the graph's order. */
  readonly inputs: readonly ProgramInput[]
  /** In the graph's order. */
  readonly outputs: readonly string[]
  /**
   * A capability: the nodes that the device leaves to the processor, so that every run copies what they read and write.
   * undefined where that is not known: on the processor itself, and where ONNX Runtime is older than 1.24. What computes
   * shapes, which is on the processor on purpose, is not among them.
   */
  readonly strays?: readonly StrayNode[] | undefined
  /**
   * Runs once; the event loop stays free, unless `blocking`. Runs may be started while others are under way; a device does them in turn.
   *
   * Every input must be given. Outputs named in `into` are written where that value lies (its shape must be right; it
   * may be one of the inputs, when nothing reads that input after the write); the others come back as new tensors,
   * those in `keep` as device buffers. The values must be left alone until the promise settles. That a tensor of `into`
   * is written without a copy is a capability; an engine without it copies the output there.
   * @throws TrainerError 'engine' for a missing, unknown or ill-typed name, and for whatever fails inside.
   */
  run(inputs: EngineValues, into?: EngineValues, options?: RunOptions): Promise<Record<string, EngineValue>>
  /**
   * A capability: ends profiling and gives the path of the JSON file that it wrote; undefined where the program is not
   * profiled.
   */
  endProfiling(): string | undefined
  /** Frees the program, after the runs that are under way; what they left on the device stays as it is. */
  dispose(): void
}

/** Bytes that went from the caller's memory to the device's, and back. */
export interface Transfers {
  readonly up: number
  readonly down: number
}

/** ONNX Runtime on one device. */
export interface Engine {
  /** 'cpu', 'cuda', 'webgpu', or another provider by name. */
  readonly provider: string
  /** Why this provider: with device 'auto', what was tried; else that it was asked for. */
  readonly reason: string
  /** The library's version, such as '1.30.0'. */
  readonly version: string
  /** Where the library was loaded from: its file. */
  readonly library: string
  /** Threads of one operator on the processor. */
  readonly threads: number
  /**
   * True where a program takes time and memory for each shape that it has not seen before, so that few different ones
   * are better.
   */
  readonly preparesShapes: boolean
  /** True where values live outside the processor's memory, so that `upload` and `allocate` give device buffers. */
  readonly resident: boolean
  /**
   * What has been transferred since the engine was made, as of now: tensors uploaded, downloaded, given to a run and
   * returned by one, `into` included. Both are 0 where the engine is not `resident`, whose memory is the caller's; runs
   * that failed count for nothing.
   */
  readonly transfers: Transfers
  /**
   * Loads a program from an ONNX model's bytes; they may be dropped once the promise settles.
   * @throws TrainerError 'engine' when the graph does not load, with ONNX Runtime's message, which names the node.
   */
  load(model: Uint8Array, options?: ProgramOptions): Promise<Program>
  /**
   * Copies a tensor to the device, when the runs before it are done; it must be left alone until the promise settles.
   * On the processor, the tensor itself.
   */
  upload(tensor: Tensor): Promise<EngineValue>
  /** A value's content, when the runs before it are done; for a tensor, the tensor itself. */
  download(value: EngineValue): Promise<Tensor>
  /** A value of zeros: on the processor a tensor, on a device a buffer, whose zeros are uploaded. */
  allocate(dtype: DataType, dims: readonly number[]): Promise<EngineValue>
  /** Frees the engine, its programs and its buffers, after the runs that are under way. */
  dispose(): void
}

/** How `createEngine` makes an engine: on the C API of a library file, so that each of these is a capability. */
export interface EngineOptions {
  /**
   * 'cpu' (default), 'cuda', 'cuda:1' for the second GPU, 'webgpu', 'dml', 'coreml', any other provider that the library
   * was built with, or 'auto': the best that works. With `pluginLibrary`, the provider's name and, after a colon, which
   * of its devices: 'openvino:cpu'.
   */
  readonly device?: string
  /**
   * The library's file or folder; default the environment variable ONNXRUNTIME_LIBRARY, else for 'cuda' and 'auto' what
   * `npx ts-trainer install cuda` left, else npm's onnxruntime-node.
   */
  readonly library?: string
  /** Threads of one operator on the processor; default the environment's OMP_NUM_THREADS, else the number of cores. */
  readonly threads?: number
  /** The provider's options, by its own keys: `{ use_tf32: '0' }` for CUDA. */
  readonly providerOptions?: Readonly<Record<string, string>>
  /**
   * Whether idle threads spin before they sleep: faster steps for more processor time. Default ONNX Runtime's own (they
   * do).
   */
  readonly spinning?: boolean
  /** The file of a plug-in provider. */
  readonly pluginLibrary?: string
  /**
   * 'float32' (default), or on the processor 'bfloat16': every program is then computed in it, by OpenVINO's plug-in,
   * though what goes in and comes out stays float32. `pluginLibrary` is then that plug-in's file.
   */
  readonly precision?: 'float32' | 'bfloat16'
  /**
   * Ask for kernels that give the same bits each time; default true on the processor, where it costs nothing, else
   * false.
   */
  readonly deterministic?: boolean
}
