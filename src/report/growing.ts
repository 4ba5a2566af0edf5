type Numbers = Float64Array | Int32Array | Uint8Array

/** A list of numbers that grows: a typed array, twice as long where one more does not fit. */
export class Growing<Values extends Numbers> {
  #values: Values
  #length = 0

  constructor(empty: Values) {
    this.#values = empty
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const Type = this.#values.constructor as new (length: number) => Values
      const longer = new Type(Math.max(1024, 2 * this.#length))
      longer.set(this.#values)
      this.#values = longer
    }
    this.#values[this.#length++] = value
  }

  /** All of them, not copied. */
  get values(): Values {
    return this.#values.subarray(0, this.#length) as Values
  }
}
