/** How many shades beside none there are. */
export const shades = 10

/** The shade of a share from 0 to 1: by its square root, so that a hundredth can be seen. */
export function shadeOf(share: number): number {
  return share > 0 ? Math.min(shades, Math.ceil(Math.sqrt(share) * shades)) : 0
}
