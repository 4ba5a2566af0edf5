// options of metrics → options whose names and values are known
import { TrainerError } from '../errors'
import { checkOptions, shown } from '../options'
import type { Values } from './values'

/** How the scores of classes become one number, as in scikit-learn. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted' | 'samples'

/** Options of metrics, as scikit-learn has them; a metric refuses those of others. */
export interface MetricOptions {
  /**
   * f1, precision, recall: how classes become one number; 'binary' by default, 'samples' for several labels, and null
   * for the list of all scores. matthews_correlation of several labels: 'macro', or null for the list, the default.
   */
  readonly average?: Average | null | undefined
  /** f1, precision, recall: the class that counts with 'binary'; 1 by default. */
  readonly posLabel?: number | bigint | undefined
  /** f1, precision, recall: the classes that are averaged, in their order; all that occur by default. */
  readonly labels?: readonly (number | bigint)[] | null | undefined
  /** f1, precision, recall: the score where nothing can be divided; 'warn', the default, is 0 with a warning. */
  readonly zeroDivision?: number | 'warn' | undefined
  /** accuracy: false gives the number of right rows instead of their share; true by default. */
  readonly normalize?: boolean | undefined
  /** All but correlations of numbers: how much each row counts; 1 by default. */
  readonly sampleWeight?: Values | null | undefined
  /** mae, mse of several numbers in a row: their mean (the default), the list of all, or how much each counts. */
  readonly multioutput?: 'uniform_average' | 'raw_values' | readonly number[] | undefined
  /** mse: false gives its root; true by default. */
  readonly squared?: boolean | undefined
  /** pearsonr, spearmanr: adds the probability of a correlation as strong without any; false by default. */
  readonly returnPvalue?: boolean | undefined
}

/** What an option's values are, in words that follow "should be". */
export interface Form {
  readonly expects: string
  readonly holds: (value: unknown) => boolean
}

export const flag: Form = { expects: 'true or false', holds: value => typeof value === 'boolean' }
export const rowWeights: Form = { expects: 'one number for each row', holds: value => typeof value === 'object' }
/** What scikit-learn takes where nothing can be divided. */
export const zeroDivision: Form = {
  expects: "0, 1, NaN or 'warn'",
  holds: value => value === 0 || value === 1 || value === 'warn' || Number.isNaN(value),
}
const isClass = (value: unknown): boolean => Number.isSafeInteger(typeof value === 'bigint' ? Number(value) : value)

const forms: Readonly<Record<keyof MetricOptions, Form>> = {
  average: oneOf('binary', 'micro', 'macro', 'weighted', 'samples', null),
  posLabel: { expects: 'the number of a class', holds: isClass },
  labels: {
    expects: 'a list of numbers of classes',
    holds: value => value === null || (Array.isArray(value) && value.length > 0 && value.every(isClass)),
  },
  zeroDivision,
  normalize: flag,
  sampleWeight: rowWeights,
  multioutput: {
    expects: "'uniform_average', 'raw_values' or a list of numbers",
    holds: value =>
      value === 'uniform_average' || value === 'raw_values' || (Array.isArray(value) && value.every(Number.isFinite)),
  },
  squared: flag,
  returnPvalue: flag,
}

/**
 * Checks the options of a metric's `compute`; undefined is the default.
 * @throws TrainerError (`argument`) for an option that it does not have, and for a value that an option cannot have.
 */
export function checkMetricOptions(
  metric: string,
  given: object | undefined,
  known: readonly (keyof MetricOptions)[],
): void {
  checkOptions(given, ['predictions', 'references', ...known], `compute() of ${metric}`)
  checkForms(metric, given, Object.fromEntries(known.map(name => [name, forms[name]])))
}

/** @throws TrainerError (`argument`) for an option's value that its form does not hold; undefined is the default. */
export function checkForms(where: string, given: object | undefined, forms: Readonly<Record<string, Form>>): void {
  for (const [name, form] of Object.entries(forms)) {
    const value: unknown = (given as Readonly<Record<string, unknown>> | undefined)?.[name]
    if (value === undefined || form.holds(value)) continue
    const what = typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? `[${value}]` : shown(value)
    throw new TrainerError('argument', `${where}: ${name} should be ${form.expects}, not ${what}.`)
  }
}

/** A form of some values alone: texts, numbers, null. */
export function oneOf(...values: readonly (string | number | null)[]): Form {
  const words = values.map(value => (typeof value === 'string' ? `'${value}'` : String(value)))
  return {
    expects: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    holds: value => values.some(one => Object.is(one, value)),
  }
}
