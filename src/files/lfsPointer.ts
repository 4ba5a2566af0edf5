// the pointers that a clone without git-lfs has in place of large files
import { TrainerError } from '../errors'

/** The largest file that can be a pointer, by the specification of Git LFS. */
const largestPointer = 1024

/** A pointer's lines, in the order that its specification demands: the version first, the others sorted by their keys. */
const pattern =
  /^version https?:\/\/[^\s/]+\/spec\/v\d+\r?\n(?:ext-\d-\S+ \S+\r?\n)*oid \w+:[0-9a-f]+\r?\nsize (\d+)\s*$/

/**
 * Refuses a file that is a pointer of Git LFS: what a clone without git-lfs has in place of the file itself.
 * @param bytes the whole file, or its beginning where `size` says how long it is.
 * @param size the file's length in bytes; that of `bytes` by default.
 * @throws TrainerError (`file`) naming the file and the size of the one that it stands for.
 */
export function refuseLfsPointer(path: string, bytes: Uint8Array, size = bytes.length): void {
  if (!mayBeLfsPointer(size) || bytes[0] !== 'v'.charCodeAt(0)) return
  const real = pattern.exec(new TextDecoder('latin1').decode(bytes))?.[1]
  if (real === undefined) return
  throw new TrainerError(
    'file',
    `${path} is a pointer of Git LFS, not the file itself, which has ${real} bytes: it was cloned without git-lfs.`,
    { fix: 'Fetch the files in the clone, git lfs install && git lfs pull, or load the repository by its id.' },
  )
}

/** Whether a file of this size is so small that its bytes have to be looked at. */
export function mayBeLfsPointer(size: number): boolean {
  return size <= largestPointer
}
