// what a tokenizer reads and writes its files with
import type { PushedCommit, PushToHubOptions } from '../hub/pushOptions'

/** What reads and writes the files of folders: the disk, or anything in its place. */
export interface TextFiles {
  /** The names in a folder; undefined when there is no such folder. */
  list(folder: string): Promise<readonly string[] | undefined>
  /** The text of a file; undefined when there is no such file. */
  read(folder: string, name: string): Promise<string | undefined>
  /** The bytes of a file that `list` names. */
  readBytes(folder: string, name: string): Promise<Uint8Array>
  /** Writes texts as files of a folder, by name; the folder is made if need be. */
  write(folder: string, texts: Readonly<Record<string, string>>): Promise<void>
  /** Pushes texts as files of a repository of the Hub, by name; where it is missing, nothing can be pushed. */
  push?(id: string, texts: Readonly<Record<string, string>>, options?: PushToHubOptions): Promise<PushedCommit>
}
