import { TrainerError } from '../errors'

/** Makes sure that what is not to run beside `train()` does not: most often `await` was forgotten. */
export class Exclusive {
  #isBusy = false
  /** How many pieces of work that train() itself has asked for are under way. */
  #depth = 0

  /** Does what nothing else may be done beside. @throws TrainerError ('training') while another call is not done. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) {
      throw new TrainerError('training', 'train() was called while another call of it is not done.', {
        fix: 'Write await before train().',
      })
    }
    this.#isBusy = true
    return work().finally(() => (this.#isBusy = false))
  }

  /** Does what train() or an event asks for. */
  async inside<T>(work: () => Promise<T>): Promise<T> {
    this.#depth++
    return work().finally(() => this.#depth--)
  }

  /** @throws TrainerError ('training') while train() is not done, unless a callback or train() itself asks. */
  check(what: string): void {
    if (!this.#isBusy || this.#depth > 0) return
    throw new TrainerError('training', `${what} was called while train() is not done.`, {
      fix: 'Write await before train().',
    })
  }
}
