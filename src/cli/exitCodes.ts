/** What `ts-trainer` ends with, as shells count it. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** The command line is wrong: nothing was begun. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
  /** Whoever read the output has closed it: `| head`. */
  closedPipe: 141,
} as const
