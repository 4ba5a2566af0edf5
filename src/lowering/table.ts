import { convolution } from './convolution'
import { counted } from './counted'
import { cutting } from './cutting'
import { dropout } from './dropout'
import { elementwise } from './elementwise'
import { fused } from './fused'
import { losses } from './losses'
import type { LoweringTable } from './Lowering'
import { movement } from './movement'
import { normalization } from './normalization'
import { pooling } from './pooling'
import { products } from './products'
import { recurrent } from './recurrent'
import { reductions } from './reductions'
import { resizing } from './resizing'
import { shapes } from './shapes'
import { training } from './training'
import { trainingConvolution } from './trainingConvolution'
import { unwritten } from './unwritten'

/**
 * THE table of how other programs' operators are written in ours: operator → rule, the twin of the table of gradients.
 * An operator of our own table that means the same in every opset has no row: it is written as it is.
 */
export const lowerings: LoweringTable = {
  ...counted,
  ...cutting,
  ...dropout,
  ...elementwise,
  ...movement,
  ...products,
  ...reductions,
  ...shapes,
  ...losses,
  ...training,
  ...fused,
  ...convolution,
  ...pooling,
  ...resizing,
  ...normalization,
  ...recurrent,
  ...trainingConvolution,
  ...unwritten,
}
