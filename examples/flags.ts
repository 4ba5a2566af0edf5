// The flags that every example has: --model, --data, and all training arguments.
import { readFileSync } from 'node:fs'
import {
  type ExtraFlag,
  type ParsedArguments,
  parseTrainingArguments,
  type TrainingArguments,
  type TrainingArgumentsOptions,
} from 'ts-trainer'

export const ownFlags = {
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

type Table = Record<string, ExtraFlag>
type Values<Extra extends Table> = ParsedArguments<typeof ownFlags & Extra>['extra']

/** What a command line says. */
export type Flags<Extra extends Table = Record<never, never>> = Values<Extra> & {
  readonly args: TrainingArguments
  readonly resume: string | boolean | undefined
}

/** Reads the command line of the example `examples/<script>.ts`. With `--help` it is printed, and the program ends. */
export function parseFlags<const Extra extends Table = Record<never, never>>(
  script: string,
  defaults: Omit<TrainingArgumentsOptions, 'outputDir'>,
  extra?: Extra,
): Flags<Extra> {
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
  return { ...parsed.extra, args: parsed.args, resume: resumeOf(parsed.extra as Values<Record<never, never>>) }
}

/** The checkpoint to go on from: its folder, true for the newest; undefined for none. */
export function resumeOf({
  resumeFromCheckpoint: from,
}: {
  readonly resumeFromCheckpoint: string | undefined
}): string | boolean | undefined {
  return from === 'true' ? true : from === 'false' ? undefined : from
}

/** The first rows of a split, as loadDataset's `split` spells it; all, without a limit. */
export function firstRows(split: string, limit: number | undefined): string {
  return limit === undefined ? split : `${split}[:${limit}]`
}
