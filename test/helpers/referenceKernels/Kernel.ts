import type { Attributes, OpName } from '../../../src/onnx/operators'
import type { Dense } from './dense'

/** Computes one operator: its outputs from its inputs. */
export type Kernel<Op extends OpName> = (site: {
  readonly inputs: readonly Dense[]
  readonly attributes: Readonly<Attributes[Op]>
  /** How many outputs the node has. */
  readonly outputs: number
}) => readonly Dense[]

/** The kernels of some operators. */
export type Kernels = { readonly [Op in OpName]?: Kernel<Op> }
