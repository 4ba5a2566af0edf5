import type { DataType, Tensor } from '../tensor'

/** An open file of weights, whatever its format. Tensors are read when they are asked for. */
export interface WeightsFile {
  readonly path: string
  /** Each tensor's shape, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Each tensor's data type in the file, by name. */
  readonly types: ReadonlyMap<string, DataType>
  /** Reads a tensor as float32. @throws TrainerError for a name that the file does not have. */
  read(name: string): Promise<Tensor<'float32'>>
  close(): Promise<void>
}
