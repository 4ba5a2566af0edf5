/** What own.ts says, and press.py and ctrlC.ts listen for. */
export const said = {
  begins: 'training begins',
  /** The point keeps update 1 from being the beginning of update 10. */
  update: (step: number): string => `update ${step}.`,
  stopped: 'stopped at step',
  finished: 'finished at step',
} as const
