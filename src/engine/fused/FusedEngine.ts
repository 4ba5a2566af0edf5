import type { Graph } from '../../onnx/types'
import { type Arena, createArena } from './arena'
import type { CompileOptions } from './compile'
import { createKernel, createModule, type Kernel } from './kernel'
import { createKernels } from './kernels'
import type { AttentionMask, DenseMask } from './masks'
import {
  accumulate,
  additionGraph,
  clear,
  dropoutMasks,
  markRows,
  runKernel,
  scatterRows,
  type Segment,
  type Site,
  sumOfSquares,
} from './operations'
import { createPool } from './pool'
import { createIdleTest, type RowSet, type TableRows } from './rows'

export type { Arena } from './arena'
export type { Kernel } from './kernel'
export type { AttentionMask, DenseMask, MaskKey } from './masks'
export type { Segment } from './operations'
export type { RowSet, TableRows } from './rows'

/**
 * Elementwise programs, sums and random masks on worker threads, over memory that they share with this thread and with
 * ONNX Runtime. This thread is never blocked. Calls are performed one after another in the order in which they are
 * made; results do not depend on the number of threads. Every array has to be the arena's, or a part (`subarray`) of
 * one. What a call is given must stay as it is until its promise settles.
 *
 * All methods that return a promise throw TrainerError ('engine') when arrays are missing, do not fit or lie elsewhere,
 * when a worker thread dies and after `dispose`.
 */
export interface FusedEngine {
  readonly threads: number
  readonly arena: Arena
  /** Compiles an elementwise graph. @throws TrainerError ('graph') when it is not: see `isElementwise`. */
  compile(graph: Graph, options?: CompileOptions): Kernel
  /** Runs a kernel over segments, each element once. Scalars are given by name. */
  run(kernel: Kernel, segments: readonly Segment[], scalars?: Readonly<Record<string, number>>): Promise<void>
  /** The sum of squares of each array, in float64; of a table's gradient only the rows that have one are read. */
  sumOfSquares(arrays: readonly (Float32Array | TableRows)[]): Promise<Float64Array>
  /** `sum += term` for each pair. */
  accumulate(pairs: readonly { readonly sum: Float32Array; readonly term: Float32Array }[]): Promise<void>
  /** Zeros; of a table's gradient only the rows that have one are written. */
  clear(arrays: readonly (Float32Array | TableRows)[]): Promise<void>
  /** The rows in use of a table [rows, width]: none at first. */
  createRowSet(rows: number, width: number): RowSet
  /**
   * Adds `rows` [n, width] to the rows `index` [n] of a table's gradient, in their order, and marks those.
   * @throws TrainerError ('engine') also when an index lies outside the table.
   */
  scatterRows(table: TableRows, index: Int32Array, rows: Float32Array): Promise<void>
  /**
   * Marks the rows in which one of the arrays (slots read from a checkpoint) is not zero, so that updates do not leave
   * them out.
   */
  markRows(set: RowSet, arrays: readonly Float32Array[]): Promise<void>
  /**
   * Writes dropout masks: 0 for what is dropped, 1 / (1 - p) for the rest, or 1 in masks of bytes. A function of the key
   * and the place, whatever the threads.
   */
  dropoutMasks(masks: readonly (DenseMask | AttentionMask)[]): Promise<void>
  /** Ends the threads. Calls that are not done fail; the arena's arrays stay as they are. */
  dispose(): Promise<void>
}

export interface FusedEngineOptions {
  /** Worker threads; as many as there are processors unless given. */
  readonly threads?: number
  /** The most pages of 64 KiB in one memory of the arena; 65536 unless given. */
  readonly pages?: number
}

/** Starts the worker threads; they neither keep the process alive nor take time while nothing runs. */
export function createFusedEngine(options: FusedEngineOptions = {}): FusedEngine {
  const pool = createPool(options.threads)
  const arena = createArena({
    ...(options.pages === undefined ? {} : { pages: options.pages }),
    onGrow: (index, memory) => pool.addMemory(index, memory),
  })
  const numbers = new WeakMap<Kernel, number>()
  const compile = (graph: Graph, compileOptions: CompileOptions = {}): Kernel => {
    const kernel = createKernel(graph, compileOptions)
    numbers.set(kernel, pool.addModule(kernel.module))
    return kernel
  }
  const site: Site = {
    pool,
    arena,
    kernels: pool.addModule(createModule('sums and masks', createKernels())),
    addition: numbers.get(compile(additionGraph()))!,
    numberOf: kernel => numbers.get(kernel),
    leavesIdle: createIdleTest(),
  }
  return {
    threads: pool.threads,
    arena,
    compile,
    run: (kernel, segments, scalars = {}) => runKernel(site, kernel, segments, scalars),
    sumOfSquares: arrays => sumOfSquares(site, arrays),
    accumulate: pairs => accumulate(site, pairs),
    clear: arrays => clear(site, arrays),
    createRowSet: (rows, width) => ({ rows, width, flags: arena.allocate(rows, 'uint8') }),
    scatterRows: (table, index, rows) => scatterRows(site, table, index, rows),
    markRows: (set, arrays) => markRows(site, set, arrays),
    dropoutMasks: masks => dropoutMasks(site, masks),
    dispose: () => pool.dispose(),
  }
}
