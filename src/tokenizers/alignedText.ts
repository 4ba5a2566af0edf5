// a text with the place of each of its characters in the text that it was made of

/** A character of a changed text, and what it stands for in the text before: see {@link AlignedText.transformed}. */
export type Change = readonly [character: string, change: number]

/**
 * A text that normalizers and pre-tokenizers have changed, and where what it is made of stands in the original: the
 * NormalizedString of the Rust library. Places are UTF-16 units, as JavaScript counts them.
 */
export class AlignedText {
  /**
   * @param starts by unit of the text: where the character that it comes from begins in the original text.
   * @param ends the same for where that character ends.
   * @param base where the text begins in the original.
   */
  constructor(
    readonly text: string,
    readonly starts: readonly number[],
    readonly ends: readonly number[],
    readonly base: number,
  ) {}

  /** A text as it is. */
  static of(text: string): AlignedText {
    const starts: number[] = []
    const ends: number[] = []
    for (let start = 0; start < text.length;) {
      const end = start + sizeAt(text, start)
      for (let unit = start; unit < end; unit++) {
        starts.push(start)
        ends.push(end)
      }
      start = end
    }
    return new AlignedText(text, starts, ends, 0)
  }

  /** Where a stretch that is not empty stands in the original. */
  place(start: number, end: number): [number, number] {
    return [this.starts[start]!, this.ends[end - 1]!]
  }

  /** A stretch that is not empty, as a text of its own. */
  slice(start: number, end: number): AlignedText {
    return this.#kept(start, end, this.starts[start]!)
  }

  /** The text without what stands before and behind a stretch. */
  trimmed(start: number, end: number): AlignedText {
    return this.#kept(start, end, this.base)
  }

  #kept(start: number, end: number, base: number): AlignedText {
    if (start === 0 && end === this.text.length && base === this.base) return this
    return new AlignedText(
      this.text.slice(start, end),
      this.starts.slice(start, end),
      this.ends.slice(start, end),
      base,
    )
  }

  /** The text with each character replaced by what a function makes of it, which stands where the character stood. */
  mapped(characters: (character: string) => string): AlignedText {
    const changed = new Writer(this.base)
    for (let start = 0; start < this.text.length;) {
      const end = start + sizeAt(this.text, start)
      changed.put(characters(this.text.slice(start, end)), this.starts[start]!, this.ends[start]!)
      start = end
    }
    return changed.done()
  }

  /** The text with something before it, which stands where its first character stands; an empty text stays empty. */
  prepended(prefix: string): AlignedText {
    if (this.text === '') return this
    const changed = new Writer(this.base)
    changed.put(prefix, this.starts[0]!, this.ends[0]!)
    return changed.copied(this, 0, this.text.length).done()
  }

  /** The text with stretches replaced: what comes for each stands where its last character stood. */
  replaced(stretches: readonly { readonly start: number; readonly end: number }[], content: string): AlignedText {
    const changed = new Writer(this.base)
    let last = 0
    for (const { start, end } of stretches) {
      changed.copied(this, last, start)
      changed.put(content, end === 0 ? this.base : this.starts[end - 1]!, end === 0 ? this.base : this.ends[end - 1]!)
      last = end
    }
    return changed.copied(this, last, this.text.length).done()
  }

  /**
   * The text made of other characters, in the Rust library's terms (`NormalizedString::transform`): a change of 0
   * replaces the next character, -n replaces it and removes n more, and 1 is put behind the last one that was replaced.
   */
  transformed(changes: readonly Change[]): AlignedText {
    const changed = new Writer(this.base)
    let place = 0
    for (const [character, change] of changes) {
      const at = change > 0 ? place - 1 : place
      changed.put(character, this.starts[at] ?? this.base, this.ends[at] ?? this.base)
      for (let left = change > 0 ? 0 : 1 - change; left > 0 && place < this.text.length; left--)
        place += sizeAt(this.text, place)
    }
    return changed.done()
  }
}

/** Puts an aligned text together. */
class Writer {
  readonly #text: string[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(readonly base: number) {}

  put(text: string, start: number, end: number): void {
    this.#text.push(text)
    for (let unit = 0; unit < text.length; unit++) {
      this.#starts.push(start)
      this.#ends.push(end)
    }
  }

  copied(from: AlignedText, start: number, end: number): this {
    this.#text.push(from.text.slice(start, end))
    for (let unit = start; unit < end; unit++) {
      this.#starts.push(from.starts[unit]!)
      this.#ends.push(from.ends[unit]!)
    }
    return this
  }

  done(): AlignedText {
    return new AlignedText(this.#text.join(''), this.#starts, this.#ends, this.base)
  }
}

/** The units of the character that begins at a place. */
function sizeAt(text: string, place: number): number {
  return text.codePointAt(place)! > 0xffff ? 2 : 1
}
