import { TrainerError } from '../errors'
import { gridPoint, randomPoint, type SearchSpace, type TrialValues } from './space'

/** A trial that has ended. */
export interface FinishedTrial {
  readonly number: number
  readonly hyperparameters: TrialValues
  /** NaN if the trial diverged. */
  readonly objective: number
}

/** An evaluation in a trial. */
export interface TrialEvaluation {
  readonly number: number
  readonly step: number
  readonly objective: number
  readonly finished: readonly FinishedTrial[]
}

/** What chooses hyperparameters: the adapter to a custom search. */
export interface SearchBackend {
  /** The next trial's hyperparameters; undefined to end the search. */
  suggest(request: {
    readonly number: number
    readonly space: SearchSpace
    readonly finished: readonly FinishedTrial[]
    readonly seed: number
  }): TrialValues | undefined | Promise<TrialValues | undefined>
  /** Receives every evaluation in a trial; true ends the trial early. */
  report?(evaluation: TrialEvaluation): boolean | Promise<boolean>
}

/**
 * The backend of a name, or the custom one.
 * @throws TrainerError (`argument`) for anything else.
 */
export function backendOf(backend: 'random' | 'grid' | SearchBackend): SearchBackend {
  if (backend === 'random') return { suggest: ({ number, space, seed }) => randomPoint(space, number, seed) }
  if (backend === 'grid') return { suggest: ({ number, space }) => gridPoint(space, number) }
  if (typeof backend === 'object' && typeof (backend as Partial<SearchBackend> | null)?.suggest === 'function')
    return backend
  throw new TrainerError('argument', `backend is ${JSON.stringify(backend)}.`, {
    fix: 'It is "random", "grid", or an object with suggest().',
  })
}
