/**
 * The results of `work` for each item, in order, a few under way at a time: the next items are read only when there is
 * room, and a result is given as soon as it is there, whether or not more items come.
 * @throws what reading an item or `work` throws, behind the results of the items before it.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  atOnce = 2,
): AsyncGenerator<Result, void, undefined> {
  const iterator = items[Symbol.asyncIterator]()
  const underWay: Promise<Result>[] = []
  const read = (): Promise<IteratorResult<Item, unknown> | { readonly failure: unknown }> =>
    iterator.next().catch((failure: unknown) => ({ failure }))
  let next: ReturnType<typeof read> | undefined = read()
  try {
    while (next !== undefined || underWay.length > 0) {
      const oldest = underWay[0]?.then(
        () => true,
        () => true,
      )
      const mayRead = next !== undefined && underWay.length < atOnce
      const isAnswered = await Promise.race([
        ...(oldest ? [oldest] : []),
        ...(mayRead ? [next!.then(() => false)] : []),
      ])
      if (isAnswered) {
        yield await underWay.shift()!
        continue
      }
      const item = (await next)!
      next = undefined
      if ('failure' in item) {
        while (underWay.length > 0) yield await underWay.shift()!
        throw item.failure
      }
      if (item.done === true) continue
      const result = work(item.value)
      result.catch(() => undefined) // its turn comes
      underWay.push(result)
      next = read()
    }
  } finally {
    await iterator.return?.()
  }
}
