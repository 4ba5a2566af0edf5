/** The order of texts by their code points, as Python sorts; JavaScript's own order is by UTF-16 units. */
export function byCodePoints(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length;) {
    const [one, other] = [a.codePointAt(i)!, b.codePointAt(i)!]
    if (one !== other) return one - other
    i += one > 0xffff ? 2 : 1
  }
  return a.length - b.length
}
