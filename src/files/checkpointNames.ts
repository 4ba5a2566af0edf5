/** The name of the checkpoint made after `step` updates. */
export function checkpointName(step: number): string {
  return `checkpoint-${step}`
}

/** The step of a name `checkpoint-<digits>`, undefined for any other name. */
export function checkpointStep(name: string): number | undefined {
  const match = /^checkpoint-(\d+)$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** The page about a run, in its folder. */
export const reportFile = 'report.html'
