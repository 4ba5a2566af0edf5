// an id of the Hub → a repository at one commit, whose files are fetched into the cache that Python uses too
import type { SlicedFile } from '../files/readFile'
import type { HubOptions } from './connection'
import type { RepositoryKind } from './errors'

/** A file of a repository. */
export interface RepositoryFile {
  /** Its path, with slashes. */
  readonly path: string
  /** Its bytes. */
  readonly size: number
}

/** A repository at one commit. */
export interface Repository {
  readonly kind: RepositoryKind
  /** The id that was asked for. */
  readonly id: string
  /** 40 hexadecimal digits. */
  readonly commit: string
  /** All its files, fetched or not; without a connection, those that the cache has. */
  readonly files: readonly RepositoryFile[]
  /** Where fetched files lie: `snapshots/COMMIT` of the cache. */
  readonly folder: string
  /**
   * Fetches files that the cache lacks, several at a time, with a bar on a terminal.
   * @returns the folder.
   * @throws TrainerError for a file that the repository does not have, or that cannot be fetched whole.
   */
  fetch(paths: readonly string[]): Promise<string>
  /** A file of which parts are read by range requests, without storing it; from the cache where that has it. */
  open(path: string): Promise<SlicedFile>
}

/** Whether a text can be an id: NAME, or ORGANIZATION/NAME. */
export function isRepositoryId(text: string): boolean {
  return text.length <= 96 && /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(text) && !/--|\.\.|\.$|\.git$/.test(text)
}

/**
 * A repository: its commit is resolved first, so that all its files are of one commit. Without a connection the cache's
 * is taken.
 * @throws TrainerError ('hub') when it is missing, private, gated or not in the cache, each with what to do.
 */
export declare function openRepository(kind: RepositoryKind, id: string, options?: HubOptions): Promise<Repository>
