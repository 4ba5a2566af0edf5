// examples with a label for each token → batch, for who knows Hugging Face's way to leave padding out
import { TrainerError } from '../errors'
import { ignoredIndex } from '../labelColumn'
import { checkFlag, checkOptions, refuseArguments, shown } from '../options'
import { type Batch, Tensor } from '../tensor'
import type { Collate, Collator } from './Collator'
import { DataCollatorForTokenClassification } from './forTokenClassification'
import { padExamples } from './padExamples'
import type { Padder } from './tokenizerCollator'

/** Options of {@link DataCollatorWithFlattening}. */
export interface DataCollatorWithFlatteningOptions {
  /** The label of each row's first token; -100, which does not count, by default. */
  readonly separatorId?: number
  /** The position of each row's first token. Without it the model counts, as it was made to: RoBERTa's kin from 2. */
  readonly positionIdsStart?: number
  /** false leaves `positionIdsStart` out of account, as in Python. */
  readonly returnPositionIds?: boolean
  /** Only false: rows stay rows. */
  readonly returnFlashAttnKwargs?: false
  /** Only false: rows stay rows. */
  readonly returnSeqIdx?: false
}

const name = 'DataCollatorWithFlattening'
const known = [
  'separatorId',
  'positionIdsStart',
  'returnPositionIds',
  'returnFlashAttnKwargs',
  'returnSeqIdx',
] satisfies (keyof DataCollatorWithFlatteningOptions)[]

/** Pads without a tokenizer: what stands in padding is never computed. */
const padder: Padder = {
  paddingSide: 'right',
  pad: (examples, options) =>
    padExamples(
      examples,
      {
        modelInputNames: ['input_ids', 'attention_mask'],
        modelMaxLength: Infinity,
        paddingSide: 'right',
        padTokenId: 0,
        padTokenTypeId: 0,
      },
      options,
    ),
}

/**
 * Hugging Face's collator for training without padding. There it lays all rows end to end in one, and attention has to
 * keep them apart; here padding is never computed anyway, so rows stay rows, [rows, length] with an `attention_mask`,
 * and each is alone. The real tokens, their labels (that of a row's first token is `separatorId`) and so the loss are
 * those of Python. `labels` are a list with one for each token; rows without any have none, where Python takes the ids.
 * With or without `new`.
 * @throws TrainerError (`argument`) for options that it does not have, and for columns that would describe one long row;
 * later as {@link DataCollatorForTokenClassification}.
 * @example
 * const dataCollator = DataCollatorWithFlattening()
 * dataCollator([{ input_ids: [2, 5, 3], labels: [-100, 1, -100] }, { input_ids: [2, 3], labels: [0, 0] }])
 * // input_ids [[2, 5, 3], [2, 3, 0]], attention_mask [[1, 1, 1], [1, 1, 0]], labels [[-100, 1, -100], [-100, 0, -100]]
 */
export const DataCollatorWithFlattening = function DataCollatorWithFlattening(
  options: DataCollatorWithFlatteningOptions = {},
  ...extra: unknown[]
): Collator {
  refuseArguments(extra, `${name}, beside its options,`)
  const { separatorId, start } = checked(options)
  const pad = DataCollatorForTokenClassification(padder)
  const collate: Collate = (examples, indices, epoch, labelNames) => {
    const batch = pad(examples, indices, epoch, labelNames)
    const { labels } = batch
    if (labels !== undefined)
      for (let row = 0; row < labels.dims[0]!; row++) labels.data[row * labels.dims[1]!] = separatorId
    return start === undefined ? batch : { ...batch, position_ids: positionsOf(batch, start) }
  }
  return Object.assign(collate, { paddingSide: 'right' as const })
} as unknown as {
  (options?: DataCollatorWithFlatteningOptions): Collator
  new (options?: DataCollatorWithFlatteningOptions): Collator
}

function checked(options: DataCollatorWithFlatteningOptions): { separatorId: number; start: number | undefined } {
  checkOptions(options, known, name)
  const { separatorId = ignoredIndex, positionIdsStart, returnPositionIds = true, ...ofOneRow } = options
  checkFlag(returnPositionIds, 'returnPositionIds')
  for (const [option, value] of Object.entries<unknown>(ofOneRow)) {
    checkFlag(value, option)
    if (value === true)
      throw new TrainerError('argument', `${option} describes rows that lie end to end, but here they stay rows.`, {
        fix: 'Leave it out: attention keeps rows apart by itself, and padding is never computed.',
      })
  }
  if (!Number.isInteger(separatorId))
    throw new TrainerError('argument', `separatorId is ${shown(separatorId)}; a whole number was expected.`)
  if (positionIdsStart !== undefined && !(Number.isInteger(positionIdsStart) && positionIdsStart >= 0))
    throw new TrainerError('argument', `positionIdsStart is ${shown(positionIdsStart)}; a position was expected.`)
  return { separatorId, start: returnPositionIds ? positionIdsStart : undefined }
}

/** Positions that count on from `start` in each row; 0 in padding. */
function positionsOf({ input_ids: ids, attention_mask: mask }: Batch, start: number): Tensor {
  const width = ids!.dims[1]!
  const positions = Int32Array.from({ length: ids!.size }, (_, at) => (mask!.data[at] ? start + (at % width) : 0))
  return new Tensor('int32', positions, ids!.dims)
}
