import type { LoweringTable } from './Lowering'
import { refusals } from './refused'

/** Layers that run step by step. */
export const recurrent: LoweringTable = refusals(
  ['RNN', 'GRU', 'LSTM'],
  'a recurrent layer runs step by step, which no graph of ordinary operators does',
  'Export the model with the cell written out for a fixed number of steps (torch.nn.LSTMCell in a loop, for example), or with attention in its place.',
  '',
)
