// what a metric is
import type { MetricOptions } from './options'
import type { Rows, Values } from './values'

/** What a metric compares, and its options. */
export interface MetricInput extends MetricOptions {
  readonly predictions: Values
  readonly references: Values
}

/** Values by key; a list where a metric was asked for all of its scores. */
export type MetricValues = Record<string, number | number[]>

/** A metric: what it takes, and its arithmetic. */
export interface MetricDefinition {
  /** Whole numbers of classes; numbers, finite ones; or any numbers, also NaN. */
  readonly compares: 'classes' | 'finite numbers' | 'numbers'
  /** The options of `compute`. */
  readonly options: readonly (keyof MetricOptions)[]
  /** What `evaluate` calls the configuration for several values in a row. */
  readonly several?: 'multilabel' | 'multilist'
  /** @param several whether it was loaded with that configuration; `metric` is its name in errors. */
  compute(rows: Rows, options: MetricOptions, metric: string, several: boolean): MetricValues
}

/** A definition under the name, and with the configuration, that it was loaded by. */
export interface LoadedMetric {
  readonly name: string
  readonly definition: MetricDefinition
  readonly several: boolean
}

/** What {@link LoadedMetric} says of the rows that it compares. */
export interface Compared {
  readonly name: string
  readonly definition: Pick<MetricDefinition, 'compares' | 'several'>
  readonly several: boolean
}
