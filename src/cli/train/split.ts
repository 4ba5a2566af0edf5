// usable rows → those to train on and those to validate on
import { Dataset, TrainerError } from '../../index'
import { UsageError } from '../flags'
import { counted } from './columns'
import type { Labels } from './labels'

/** Where the rows come from that a model is evaluated on while it is trained. */
export type Validation =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly path: string }
  /** A share of the rows below 1, or a number of rows. */
  | { readonly kind: 'part'; readonly size: number }

/** A fifth of the rows, unless `--validation` says otherwise: a file, a share, a number of rows, or none. */
export function readValidation(word: string | undefined): Validation {
  if (word === undefined) return { kind: 'part', size: 0.2 }
  if (/^(none|no|false|0)$/i.test(word)) return { kind: 'none' }
  const number = Number(/^(.*)%$/.exec(word)?.[1] ?? NaN) / 100 || Number(word)
  if (Number.isNaN(number)) return { kind: 'file', path: word }
  if ((number > 0 && number < 1) || (number > 1 && Number.isInteger(number))) return { kind: 'part', size: number }
  throw new UsageError(`--validation should be a file, a share between 0 and 1, a number of rows or none, not ${word}.`)
}

/** Two parts of the rows. */
export interface Parts {
  readonly train: Dataset
  readonly validation: Dataset
  /** How they were divided, in words. */
  readonly how: string
}

/**
 * Splits a part off to validate on: as many of each class as it has in all, where there are classes. A class of a
 * single row stays with the rows that are trained on.
 * @throws TrainerError (`data`) where there are too few rows for two parts.
 */
export function splitRows(rows: Dataset, size: number, seed: number, { task, names }: Labels): Parts {
  const wanted = size < 1 ? Math.max(1, Math.round(rows.length * size)) : size
  if (wanted >= rows.length)
    throw new TrainerError(
      'data',
      `${counted(rows.length)} rows are too few to split ${counted(wanted)} off to validate on.`,
      { fix: '--validation FILE gives other rows, --validation none trains without.' },
    )
  const plain = (): Parts => {
    const { train, test } = rows.trainTestSplit({ testSize: wanted, seed })
    return { train, validation: test!, how: `drawn with seed ${seed}` }
  }
  if (task !== 'text-classification') return plain()
  const labels = rows.column('label') as ArrayLike<number>
  const counts = names.map(() => 0)
  for (let row = 0; row < rows.length; row++) counts[labels[row]!]!++
  const [alone, several]: [number[], number[]] = [[], []]
  for (let row = 0; row < rows.length; row++) (counts[labels[row]!] === 1 ? alone : several).push(row)
  const classes = counts.filter(count => count > 1).length
  if (Math.min(wanted, several.length - wanted) < classes || classes === 0) return plain()
  const numbered = Dataset.fromColumns({ label: several.map(row => labels[row]!), row: several })
  const { train, test } = numbered.trainTestSplit({ testSize: wanted, seed, stratifyByColumn: 'label' })
  return {
    train: rows.select([...train.column('row'), ...alone]),
    validation: rows.select(test!.column('row')),
    how: `the same share of each class, drawn with seed ${seed}`,
  }
}
