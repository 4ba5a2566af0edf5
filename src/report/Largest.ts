/** The items with the largest scores, of however many there are. */
export class Largest<Item> {
  readonly #count: number
  #held: { readonly score: number; readonly item: Item }[] = []

  constructor(count: number) {
    this.#count = count
  }

  /**
   * Takes an item, which is made only if it is one of them so far. An earlier one goes before a later one of its
   * score.
   */
  add(score: number, make: () => Item): void {
    const least = this.#held.length < this.#count ? -Infinity : (this.#held.at(-1)?.score ?? Infinity)
    if (!(score > least)) return
    const at = this.#held.findIndex(held => held.score < score)
    this.#held.splice(at < 0 ? this.#held.length : at, 0, { score, item: make() })
    this.#held.length = Math.min(this.#held.length, this.#count)
  }

  /** From the largest score down. */
  get items(): readonly Item[] {
    return this.#held.map(({ item }) => item)
  }
}
