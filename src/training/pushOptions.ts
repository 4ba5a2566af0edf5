import { checkPushOptions } from '../hub/push'
import type { PushedCommit, PushToHubOptions } from '../hub/pushOptions'
import { cardOptionNames, type ModelCardOptions } from '../modelCard/options'
import { checkFlag, checkOptions } from '../options'

/** What a repository is made with. Default: what the arguments say. */
export type RepositoryOptions = Pick<PushToHubOptions, 'token' | 'private'>

/** What `trainer.pushToHub()` may be told, beside what the model card says. */
export interface TrainerPushOptions extends ModelCardOptions, RepositoryOptions {
  /** The commit's title. Default 'End of training'. */
  readonly commitMessage?: string | undefined
  /** Whether the promise waits until all is pushed. Default true. */
  readonly blocking?: boolean | undefined
  /** A branch, which is made of `main` if it is missing. Default: `hubRevision`, else 'main'. */
  readonly revision?: string | undefined
}

/** A push that nobody waits for. */
export interface PendingPush {
  /** The repository's id. */
  readonly id: string
  /** The commit once it is made; where that fails, a warning says so too. */
  readonly finished: Promise<PushedCommit>
}

const repositoryNames = Object.keys({ token: 1, private: 1 } satisfies Record<keyof RepositoryOptions, 1>)

const pushNames = [
  ...Object.keys({ commitMessage: 1, blocking: 1, token: 1, revision: 1, private: 1 } satisfies Record<
    Exclude<keyof TrainerPushOptions, keyof ModelCardOptions>,
    1
  >),
  ...cardOptionNames,
]

/** @throws TrainerError ('argument') for an option that `trainer.pushToHub()` does not have, or of another kind. */
export function checkTrainerPush(options: TrainerPushOptions): void {
  const where = 'trainer.pushToHub()'
  checkOptions(options, pushNames, where)
  checkFlag(options.blocking, 'blocking')
  checkPushOptions(options, where)
}

/** @throws TrainerError ('argument') for an option that `trainer.initHfRepo()` does not have, or of another kind. */
export function checkRepositoryOptions(options: RepositoryOptions): void {
  const where = 'trainer.initHfRepo()'
  checkOptions(options, repositoryNames, where)
  checkPushOptions(options, where)
}
