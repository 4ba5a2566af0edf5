// columns that cannot be stacked → the collator for them
import { isList } from '../tensor'

/** The collators that make one length of rows. */
export type Collators =
  'DataCollatorWithPadding' | 'DataCollatorForTokenClassification' | 'DataCollatorForMultipleChoice'

/** The collator for rows with these columns, padded or not: by what their cells are. */
export function advisedCollator(
  columns: Readonly<Record<string, readonly unknown[]>>,
  label: string | undefined,
): Collators {
  const ids = columns['input_ids'] ?? []
  if (isList(ids[0]) && isList(ids[0][0])) return 'DataCollatorForMultipleChoice'
  const labels = (label !== undefined && columns[label]) || []
  const isPerToken = (row: unknown, at: number): boolean =>
    isList(row) && (row.length === lengthOf(ids[at]) || row.length === unmasked(columns['attention_mask']?.[at]))
  return labels.length > 0 && labels.every(isPerToken)
    ? 'DataCollatorForTokenClassification'
    : 'DataCollatorWithPadding'
}

function lengthOf(row: unknown): number | undefined {
  return isList(row) ? row.length : undefined
}

/** The tokens of a row that was padded. */
function unmasked(mask: unknown): number | undefined {
  return isList(mask) ? Array.from(mask, Number).filter(value => value !== 0).length : undefined
}
