/**
 * Numbers by name. As in Python, whose type is the same, what `computeMetrics` returns beside numbers is there too: see
 * {@link MetricValue}.
 */
export type Metrics = Record<string, number>

/** What a metric may come to, and what is logged: plain data, as it stands in `trainer_state.json`. */
export type MetricValue =
  number | string | boolean | null | readonly MetricValue[] | { readonly [name: string]: MetricValue }
