// The flags that every example has: --model, --data, and all training arguments.
import { readFileSync } from 'node:fs'
import {
  type ExtraFlag,
  type ParsedArguments,
  parseTrainingArguments,
  type TrainingArguments,
  type TrainingArgumentsOptions,
} from 'ts-trainer'

const ownFlags = {
  model: {
    type: 'text',
    required: true,
    help: 'A folder, or an id of the Hub (sentence-transformers/all-MiniLM-L6-v2).',
  },
  data: { type: 'text', required: true, help: 'A folder, or an id of the Hub (nyu-mll/glue).' },
  maxTrainSamples: { type: 'number', help: 'Train on the first rows only.' },
  maxEvalSamples: { type: 'number', help: 'Evaluate on the first rows only.' },
  resumeFromCheckpoint: { type: 'text', help: "A checkpoint's folder, or true for the newest of output_dir." },
} as const satisfies Record<string, ExtraFlag>

type Values<Extra extends Record<string, ExtraFlag>> = ParsedArguments<typeof ownFlags & Extra>['extra']

/**
 * Reads the command line of the example `examples/<script>.ts`: training arguments, the flags that every
 * example has, and those of its own (`extra`). With `--help` they are printed, and the program ends.
 */
export function parseFlags<const Extra extends Record<string, ExtraFlag> = Record<never, never>>(
  script: string,
  defaults: Omit<TrainingArgumentsOptions, 'outputDir'>,
  extra?: Extra,
): Values<Extra> & { args: TrainingArguments; resume: string | boolean | undefined } {
  const parsed = parseTrainingArguments(process.argv.slice(2), {
    usage: `Usage: npx tsx examples/${script}.ts --model ID --data ID [ARGUMENTS]`,
    defaults: { outputDir: `out/${script.split('/').at(-1)}`, ...defaults },
    readText: path => readFileSync(path, 'utf8'),
    extra: { ...ownFlags, ...(extra as Extra) },
  })
  if (parsed.help !== undefined) {
    console.log(parsed.help)
    process.exit()
  }
  const { resumeFromCheckpoint } = parsed.extra as Values<Record<never, never>>
  return {
    ...parsed.extra,
    args: parsed.args,
    resume: resumeFromCheckpoint === 'true' ? true : resumeFromCheckpoint,
  }
}

/** The first rows of a split, as loadDataset's `split` spells it; all, without a limit. */
export function firstRows(split: string, limit: number | undefined): string {
  return limit === undefined ? split : `${split}[:${limit}]`
}
