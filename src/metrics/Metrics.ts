/** Numbers by name. */
export type Metrics = Record<string, number>
