import { TrainerError } from '../errors'

/** Node's code of a system error (`ENOENT`, …), undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : undefined
}

/**
 * The error for a file or folder that could not be written, with the fix for the usual reasons. A TrainerError, and
 * what is not a system error, is returned as it is.
 */
export function writeError(path: string, cause: unknown): unknown {
  const code = errorCode(cause)
  if (cause instanceof TrainerError || code === undefined) return cause
  const fix = writeFixes[code]
  return new TrainerError(
    'file',
    `Cannot write ${path}: ${(cause as Error).message}.`,
    fix === undefined ? { cause } : { fix, cause },
  )
}

const writeFixes: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space, or choose a folder on another disk.',
  EDQUOT: 'Free some of your quota, or choose a folder on another disk.',
  EACCES: 'Give this user write permission, or choose another folder.',
  EPERM: 'Give this user write permission, or choose another folder.',
  EROFS: 'The file system is read-only: choose another folder.',
  ENOTDIR: 'A part of the path is a file: choose another folder.',
  EEXIST: 'A file is where the folder should be: choose another folder.',
}

/** Whether something was not written because the disk, or the share of it that a user has, is full. */
export function isDiskFull(error: unknown): error is TrainerError {
  const code = error instanceof TrainerError ? errorCode(error.cause) : undefined
  return code === 'ENOSPC' || code === 'EDQUOT'
}
