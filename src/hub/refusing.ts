// what asks the Hub for something, with errors that say what to do
import { HubApiError } from '@huggingface/hub'

import { TrainerError } from '../errors'
import { type Asked, hubError } from './errors'

/** Does what asks the Hub for something. @throws TrainerError ('hub') where it refuses. */
export async function refusing<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof HubApiError ? saidBy(error, asked) : hubError(error, asked)
  }
}

/** The error for an answer that the library has read: the Hub says in it what is wrong, as with a card's metadata. */
function saidBy(answer: HubApiError, { kind, id }: Asked): TrainerError {
  const said = answer.data?.['error']
  const reason = typeof said === 'string' ? said : answer.message.replace(/\. URL: .*/s, '')
  const isCard = reason.includes('README.md')
  return new TrainerError('hub', `The Hub does not take this for ${kind} "${id}" (${answer.statusCode}): ${reason}`, {
    fix: isCard
      ? 'Correct the metadata at the beginning of README.md, and push again.'
      : 'Check the id and the revision.',
    cause: answer,
  })
}
