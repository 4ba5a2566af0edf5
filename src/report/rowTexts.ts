import type { EvaluatedBatch } from '../callbacks/EvaluatedBatch'
import { sentenceOf } from '../errors'
import { log } from '../logging'
import type { Tensor } from '../tensor'
import { beginningOf } from './beginningOf'

/** A text of a row, and the column that it stands in. */
export interface RowText {
  readonly column: string
  readonly text: string
  /** How many characters it had, where it was cut. */
  readonly length: number
}

/** What turns ids back into text: a tokenizer. */
export interface Decoder {
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string
}

/** More characters of a text are not kept: a page has to stay one that can be opened. */
export const longestText = 20_000

/**
 * The texts of a row of a batch: its columns of texts, or of words; of a row without any, what a tokenizer makes of its ids.
 * A dataset that fails here does not end the run.
 */
export async function textsOf(
  evaluated: EvaluatedBatch,
  place: number,
  decoder: Decoder | undefined,
): Promise<readonly RowText[]> {
  try {
    const texts = Object.entries(await evaluated.wholeRow(place)).flatMap(([column, cell]) => {
      const text = textIn(cell)
      return text === undefined ? [] : [cut(column, text)]
    })
    if (texts.length > 0) return texts
    const ids = idsOf(evaluated, place)
    if (decoder === undefined || ids === undefined) return []
    return [cut('input_ids', decoder.decode(ids, { skipSpecialTokens: true }))]
  } catch (error) {
    const row = `row ${evaluated.rows[place]} of the evaluation dataset`
    log('warning', `The report is without the text of ${row}: ${sentenceOf(error)}`)
    return []
  }
}

function textIn(cell: unknown): string | undefined {
  if (typeof cell === 'string') return cell
  const isWords = Array.isArray(cell) && cell.length > 0 && cell.every(word => typeof word === 'string')
  return isWords ? cell.join(' ') : undefined
}

function cut(column: string, text: string): RowText {
  return { column, text: beginningOf(text, longestText), length: text.length }
}

/** The ids of a row without its padding. */
function idsOf({ batch }: EvaluatedBatch, place: number): number[] | undefined {
  const { input_ids: ids, attention_mask: mask } = batch as Readonly<Record<string, Tensor | undefined>>
  if (ids === undefined || ids.dims.length !== 2) return undefined
  const width = ids.dims[1]!
  const isReal = (at: number): boolean => mask === undefined || Number(mask.data[at]) !== 0
  return Array.from({ length: width }, (_, column) => place * width + column)
    .filter(isReal)
    .map(at => Number(ids.data[at]))
}
