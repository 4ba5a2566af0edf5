import { nearest } from '../errors'

/** Where runs can be reported to, by Hugging Face's names; `jsonl` and `html` are files of ts-trainer. */
export const trackerNames = ['tensorboard', 'wandb', 'mlflow', 'trackio', 'jsonl', 'html'] as const
/** One of {@link trackerNames}. */
export type TrackerName = (typeof trackerNames)[number]
/** What `reportTo` takes, alone or in a list. */
export type ReportTo = TrackerName | 'all' | 'none'

/** Hugging Face's other names. */
const otherTrackers = [
  ...['azure_ml', 'clearml', 'codecarbon', 'comet_ml', 'dagshub', 'dvclive', 'flyte', 'kubeflow', 'neptune', 'swanlab'],
]

/** What is wrong with a value of `reportTo`, in a sentence; undefined if nothing. */
export function reportToProblem(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  const unknown = names.find(name => ![...trackerNames, 'all', 'none'].includes(name as never))
  if (names.length > 1 && names.includes('none'))
    return "reportTo has 'none' beside other names. Leave one of them out."
  if (unknown === undefined) return undefined
  const known = `'all', 'none', or any of ${trackerNames.map(name => `'${name}'`).join(', ')}`
  if (typeof unknown !== 'string') return `reportTo should be ${known}, but is ${JSON.stringify(value)}.`
  if (otherTrackers.includes(unknown))
    return `reportTo '${unknown}' is refused: it has a client for Python only. Use ${known}, or a callback of your own.`
  const near = nearest(unknown, [...trackerNames, 'all', 'none'])
  return `reportTo should be ${known}, but is '${unknown}'.${near === undefined ? '' : ` Did you mean '${near}'?`}`
}

/** The names that a value stands for, each once; `all` stays, since what can be had is found out when a run begins. */
export function normalReportTo(value: unknown): readonly (TrackerName | 'all')[] {
  const names = (Array.isArray(value) ? value : [value ?? 'none']) as ReportTo[]
  return [...new Set(names.filter(name => name !== 'none'))]
}
