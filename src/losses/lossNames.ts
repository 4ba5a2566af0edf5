/** The losses that can be chosen by name. */
export const lossNames = ['cross_entropy', 'binary_cross_entropy', 'mean_squared_error'] as const

/** A loss that is chosen by its name. */
export type LossName = (typeof lossNames)[number]
