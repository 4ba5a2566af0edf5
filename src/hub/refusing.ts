// what asks the Hub for something, with errors that say what to do
import { type Asked, hubError } from './errors'

/** Does what asks the Hub for something. @throws TrainerError ('hub') where it refuses. */
export async function refusing<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw hubError(error, asked)
  }
}
