// work of many calls, done in batches
import { TrainerError } from '../errors'
import { nextTurn } from '../turns'

/** What one call asked for, as far as it is not done. */
interface Call<Item, Result> {
  readonly items: readonly Item[]
  readonly results: Result[]
  /** How many of the items have gone into a batch, and how many have a result. */
  taken: number
  done: number
  readonly resolve: (results: Result[]) => void
  readonly reject: (reason: unknown) => void
}

/** An item of a call, on its way. */
interface Place<Item, Result> {
  readonly call: Call<Item, Result>
  readonly at: number
}

/**
 * Gathers what calls ask for into batches: all that came in the same turn of the event loop, or while a batch was under
 * way. Of several calls each gets its share of a batch, so that a short one does not wait for all of a long one. One batch
 * is under way at a time.
 */
export class BatchQueue<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #batchSize: number
  #calls: Call<Item, Result>[] = []
  #working: Promise<void> | undefined
  #isClosed = false

  /** @param run answers a batch, a result for each item. */
  constructor(run: (items: readonly Item[]) => Promise<readonly Result[]>, batchSize: number) {
    this.#run = run
    this.#batchSize = batchSize
  }

  /** A result for each item, in their order. An item that fails fails its own call, and no other. */
  add(items: readonly Item[]): Promise<Result[]> {
    if (this.#isClosed) return Promise.reject(disposed())
    if (items.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#calls.push({ items, results: [], taken: 0, done: 0, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  /** Lets no more in; what waits is refused, and what is under way is finished. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { reject } of this.#calls.splice(0)) reject(disposed())
    await this.#working
  }

  async #work(): Promise<void> {
    await nextTurn() // others of this turn come in
    while (this.#calls.length > 0) await this.#answer(this.#takeBatch())
    this.#working = undefined
  }

  /**
   * The next items of the calls: of each, in the order in which they came, its share, and then what else there is
   * room for.
   */
  #takeBatch(): Place<Item, Result>[] {
    const batch: Place<Item, Result>[] = []
    const take = (call: Call<Item, Result>, most: number): void => {
      const end = Math.min(call.taken + most, call.items.length)
      while (call.taken < end) batch.push({ call, at: call.taken++ })
    }
    const share = Math.max(1, Math.floor(this.#batchSize / this.#calls.length))
    for (const call of this.#calls) take(call, Math.min(share, this.#batchSize - batch.length))
    for (const call of this.#calls) take(call, this.#batchSize - batch.length)
    this.#calls = this.#calls.filter(({ taken, items }) => taken < items.length)
    return batch
  }

  async #answer(batch: readonly Place<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ call, at }) => call.items[at]!))
      for (const [i, place] of batch.entries()) this.#settle(place, results[i]!)
    } catch (error) {
      const calls = [...new Set(batch.map(({ call }) => call))]
      if (calls.length === 1) this.#fail(calls[0]!, error)
      else for (const call of calls) await this.#answer(batch.filter(place => place.call === call))
    }
  }

  #settle({ call, at }: Place<Item, Result>, result: Result): void {
    call.results[at] = result
    if (++call.done === call.items.length) call.resolve(call.results)
  }

  #fail(call: Call<Item, Result>, reason: unknown): void {
    this.#calls = this.#calls.filter(other => other !== call)
    call.reject(reason)
  }
}

function disposed(): TrainerError {
  return new TrainerError('argument', 'The pipeline was disposed of.', { fix: 'Make a new one.' })
}
