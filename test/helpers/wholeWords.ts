/** The sets of tokens that were always chosen together, over many epochs; none for a token that never was. */
export function groups(labels: readonly number[][]): number[][] {
  const keys = labels[0]!.map((_, token) => labels.map(row => (row[token] === -100 ? 0 : 1)).join(''))
  const chosen = keys.map((_, token) => token).filter(token => keys[token]!.includes('1'))
  return [...new Set(chosen.map(token => keys[token]))].map(key => chosen.filter(token => keys[token] === key))
}
