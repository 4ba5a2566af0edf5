// which column of a row is its label: one rule for datasets, collators and the Trainer
import { quoted } from './errors'
import { logOnce } from './logging'

/** The names that a row's label may have, as in Hugging Face's collators; the first that is there counts. */
export const labelColumns: readonly string[] = ['label', 'label_ids', 'labels']

/** A label that does not count, as in PyTorch. */
export const ignoredIndex = -100

/**
 * The column that is the label; undefined where there is none. Where other columns could be it as well, a warning names
 * the one that is used.
 * @param columns the columns that there are.
 * @param wanted `labelNames`: the first of them that is there counts. `labels`, a batch's name for its labels, stands for
 *   all of {@link labelColumns} where no column has that very name. Without it, these.
 */
export function labelColumn(columns: readonly string[], wanted?: readonly string[]): string | undefined {
  const named = wanted?.filter(name => columns.includes(name))
  const isNamed = named !== undefined && (named.length > 0 || !wanted!.includes('labels'))
  const candidates = isNamed ? named : labelColumns.filter(name => columns.includes(name))
  if (candidates.length > 1) {
    const [used, ...others] = candidates as [string, ...string[]]
    const also = `${quoted(others)} could be labels as well`
    logOnce('warning', `The label is the column "${used}", though ${also}: labelNames: ["${others[0]}"] takes another.`)
  }
  return candidates[0]
}
