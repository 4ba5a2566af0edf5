import type { Lowering, LoweringTable } from './Lowering'
import { refused } from './refused'

const unwritten: Lowering = refused(
  'a recurrent layer runs step by step, which no graph of ordinary operators does',
  'Export the model with the cell written out for a fixed number of steps (torch.nn.LSTMCell in a loop, for example), or with attention in its place.',
)

/** Layers that run step by step. */
export const recurrent: LoweringTable = { RNN: unwritten, GRU: unwritten, LSTM: unwritten }
