import { isCuda } from '../engine/deviceName'
import { checkBfloat16On } from '../engine/reducedTypes'
import { nearest, TrainerError } from '../errors'
import { checkScheduleKwargs, isMetricSchedule } from '../optim/schedules'
import { camelCase } from './spelling'
import { checkOptimizerArguments, readOptimizerArguments } from './optimizers'
import { renamedArguments } from './renamed'
import { argumentNames, argumentRow, type ArgumentName, type ArgumentTable } from './table'
import type { Field } from './fields'

/**
 * What the constructor of {@link TrainingArguments} takes: Hugging Face's training arguments in camelCase, and those of
 * ts-trainer alone.
 */
export type TrainingArgumentsOptions = {
  readonly [Name in ArgumentName]?:
    (ArgumentTable[Name] extends Field<infer Input, unknown> ? Input : never) | undefined
}

/** Every training argument, with the defaults filled in. */
export type ResolvedArguments = { readonly [Name in ArgumentName]: ArgumentTable[Name]['default'] }

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Checks options and fills in what is not given.
 * @throws TrainerError (`argument`) with every unknown name and every value of a wrong kind, or with the first
 * contradiction.
 */
export function resolveArguments(options: Readonly<Record<string, unknown>>): ResolvedArguments {
  const problems = [
    ...Object.keys(options)
      .filter(name => options[name] !== undefined)
      .flatMap(name => nameProblem(name) ?? []),
    ...argumentNames.flatMap(name => valueProblem(name, options) ?? []),
  ]
  if (problems.length === 1) throw new TrainerError('argument', problems[0]!)
  if (problems.length > 1) {
    throw new TrainerError(
      'argument',
      [`${problems.length} training arguments are wrong:`, ...problems.map(problem => `- ${problem}`)].join('\n'),
    )
  }
  const values = Object.fromEntries(
    argumentNames.map(name => {
      const given = options[name]
      const { default: usual, normal } = argumentRow(name)
      return [name, isMissing(name, given) ? usual : normal === undefined ? given : normal(given)]
    }),
  ) as unknown as Mutable<ResolvedArguments>
  derive(values, options)
  check(values)
  return values
}

/** What is wrong with a name, with the present or the nearest name; `undefined` if nothing. */
export function nameProblem(name: string): string | undefined {
  if (isArgumentName(name)) return undefined
  const spelt = camelCase(name)
  const renamed = Object.hasOwn(renamedArguments, spelt) ? renamedArguments[spelt] : undefined
  if (renamed !== undefined) return `${name} is not a training argument: ${renamed}.`
  if (isArgumentName(spelt))
    return `${name} is spelt ${spelt} here; only files and the command line may spell it ${name}: TrainingArguments.fromJSON reads what Python wrote.`
  const near = nearest(spelt, argumentNames)
  return `${name} is not a training argument.${near === undefined ? '' : ` Did you mean ${near}?`}`
}

/** Whether a name, in camelCase, is a training argument. */
export function isArgumentName(name: string): name is ArgumentName {
  return argumentNames.includes(name as ArgumentName)
}

/** `null` means "not given" for an argument without a default, as in Python. */
function isMissing(name: ArgumentName, value: unknown): boolean {
  return value === undefined || (value === null && argumentRow(name).default === undefined)
}

function valueProblem(name: ArgumentName, options: Readonly<Record<string, unknown>>): string | undefined {
  const value = options[name]
  const row = argumentRow(name)
  if (isMissing(name, value)) return undefined
  if (row.problem !== undefined) return row.problem(value)
  if (row.accepts(value) || isDerived(name, value, options)) return undefined
  if (row.refused !== undefined) {
    const leave = row.default === undefined ? 'out' : `at ${show(row.default)}`
    return `${name}: ${show(value)} is refused: ${row.refused}. Leave it ${leave}.`
  }
  const isText = typeof value === 'string' && row.reads === 'number'
  const wrong = `${name} should be ${row.expects}, but is ${show(value)}${isText ? ' (a text)' : ''}`
  const why = row.why === undefined ? '' : `: ${row.why}`
  return `${wrong}${why}.${suggestion(value, row.choices)}`
}

/** The nearest of many words; of a few, the message names all. */
function suggestion(value: unknown, choices: readonly string[] = []): string {
  const near = typeof value === 'string' && choices.length > 3 ? nearest(value, choices) : undefined
  return near === undefined ? '' : ` Did you mean '${near}'?`
}

/** Two unsupported arguments follow from others in Python, so its files may have more than their defaults. */
function isDerived(
  name: ArgumentName,
  value: unknown,
  { evalStrategy = 'no', useCpu }: Readonly<Record<string, unknown>>,
): boolean {
  return (
    (name === 'doEval' && value === true && evalStrategy !== 'no') ||
    (name === 'dataloaderPinMemory' && value === false && useCpu === true)
  )
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'number' || value === undefined ? String(value) : (JSON.stringify(value) ?? String(value))
}

/** Sets what follows from other values, in Hugging Face's order. */
function derive(values: Mutable<ResolvedArguments>, options: Readonly<Record<string, unknown>>): void {
  values.optimArgs = readOptimizerArguments(values.optimArgs) as ResolvedArguments['optimArgs']
  values.disableTqdm ??= values.logLevel === 'error' || values.logLevel === 'critical'
  values.doEval = values.evalStrategy !== 'no'
  values.dataloaderPinMemory = !values.useCpu
  values.activationCheckpointing = values.gradientCheckpointing = checkpointing(options)
  if (values.evalStrategy === 'steps' && !values.evalSteps) {
    if (values.loggingSteps <= 0) {
      throw new TrainerError(
        'argument',
        "evalStrategy 'steps' needs evalSteps or loggingSteps above 0, but both are 0 or missing.",
      )
    }
    values.evalSteps = values.loggingSteps
  }
  if (values.loadBestModelAtEnd || isMetricSchedule(values.lrSchedulerType)) values.metricForBestModel ??= 'loss'
  if (values.metricForBestModel !== undefined) values.greaterIsBetter ??= !values.metricForBestModel.endsWith('loss')
  if (values.useCpu) {
    if (![undefined, null, 'cpu', 'auto'].includes(options.device as string)) {
      throw new TrainerError('argument', `useCpu and device '${values.device}' contradict each other.`, {
        fix: 'Leave one of them out.',
      })
    }
    values.device = 'cpu'
  }
}

/** The two names of one argument. */
export const checkpointingNames = ['activationCheckpointing', 'gradientCheckpointing'] as const

/** Python writes both into its files, and the later name alone may be all that is set. */
function checkpointing(options: Readonly<Record<string, unknown>>): boolean {
  const [later, earlier] = checkpointingNames.map(name => options[name] as boolean | null | undefined)
  if (typeof later === 'boolean' && typeof earlier === 'boolean' && later !== earlier) {
    throw new TrainerError(
      'argument',
      `activationCheckpointing (${later}) and gradientCheckpointing (${earlier}) are two names of one argument.`,
      { fix: 'Leave one of them out.' },
    )
  }
  return later ?? earlier ?? false
}

function check(values: ResolvedArguments): void {
  checkSteps(values)
  if (values.saveStrategy === 'best' && values.evalStrategy === 'no') {
    throw new TrainerError('argument', "saveStrategy 'best' needs evaluations, but evalStrategy is 'no'.", {
      fix: "Set evalStrategy to 'epoch' or 'steps'.",
    })
  }
  if (values.loadBestModelAtEnd && values.saveStrategy !== 'best') checkBestModel(values)
  if (isMetricSchedule(values.lrSchedulerType) && values.evalStrategy === 'no') {
    throw new TrainerError(
      'argument',
      `lrSchedulerType '${values.lrSchedulerType}' follows a metric, but evalStrategy is 'no'.`,
      { fix: "Set evalStrategy to 'steps' or 'epoch'." },
    )
  }
  checkPrecision(values)
  checkScheduleKwargs(values.lrSchedulerType, values.lrSchedulerKwargs ?? {}, values.learningRate)
  checkOptimizerArguments(values.optim, values.optimArgs)
}

/** As Python does, float16 and bfloat16 are refused together. */
function checkPrecision(values: ResolvedArguments): void {
  const { bf16, bf16FullEval, device, tf32, providerOptions } = values
  for (const [half, brain] of [
    ['fp16', 'bf16'],
    ['fp16FullEval', 'bf16FullEval'],
  ] as const) {
    if (!values[half] || !values[brain]) continue
    throw new TrainerError('argument', `${half} and ${brain} are both true, and a program is computed in one type.`, {
      fix: 'Leave one of them out.',
    })
  }
  if (bf16 || bf16FullEval) checkBfloat16On(device, values.pluginLibrary)
  if (tf32 === true && !isCuda(device)) {
    throw new TrainerError('argument', `tf32 is a type of NVIDIA's GPUs, and device is '${device}'.`, {
      fix: "Leave it out, or set device to 'cuda'.",
    })
  }
  if (tf32 !== undefined && providerOptions?.use_tf32 !== undefined) {
    throw new TrainerError('argument', 'tf32 and providerOptions.use_tf32 are one option.', {
      fix: 'Leave one of them out.',
    })
  }
}

function checkSteps(values: ResolvedArguments): void {
  if (values.loggingStrategy === 'steps' && values.loggingSteps === 0) {
    throw new TrainerError('argument', "loggingStrategy 'steps' needs loggingSteps above 0.", {
      fix: "Set loggingStrategy to 'no' to log nothing.",
    })
  }
  for (const [strategy, steps] of [
    ['loggingStrategy', 'loggingSteps'],
    ['evalStrategy', 'evalSteps'],
    ['saveStrategy', 'saveSteps'],
  ] as const) {
    const value = values[steps]
    if (values[strategy] === 'steps' && value !== undefined && value > 1 && !Number.isInteger(value)) {
      throw new TrainerError('argument', `${steps} above 1 should be a whole number of updates, but is ${value}.`, {
        fix: 'A value below 1 is a share of all updates.',
      })
    }
  }
}

/** The best checkpoint can only be loaded if every evaluation that may be the best has a checkpoint. */
function checkBestModel({ evalStrategy, saveStrategy, evalSteps = 0, saveSteps }: ResolvedArguments): void {
  if (evalStrategy !== saveStrategy) {
    throw new TrainerError(
      'argument',
      'loadBestModelAtEnd needs evalStrategy and saveStrategy to be the same, ' +
        `but they are '${evalStrategy}' and '${saveStrategy}'.`,
      { fix: "Make them the same, or set saveStrategy to 'best'." },
    )
  }
  if (evalStrategy === 'no') {
    throw new TrainerError('argument', "loadBestModelAtEnd needs evaluations, but evalStrategy is 'no'.", {
      fix: "Set evalStrategy and saveStrategy to 'epoch' or 'steps'.",
    })
  }
  if (evalStrategy !== 'steps' || saveSteps % evalSteps === 0) return
  const shares = [evalSteps, saveSteps].filter(steps => steps < 1).length
  if (shares === 1) {
    throw new TrainerError(
      'argument',
      'loadBestModelAtEnd needs saveSteps to be a multiple of evalSteps, which is not certain for ' +
        `a share of the run and a number of updates: they are ${saveSteps} and ${evalSteps}.`,
      { fix: 'Give both as numbers, or both as shares.' },
    )
  }
  // shares like 0.3 and 0.1 are not exact in floating point
  if (shares === 2 && (saveSteps * 1_000_000) % (evalSteps * 1_000_000) === 0) return
  throw new TrainerError(
    'argument',
    `loadBestModelAtEnd needs saveSteps to be a multiple of evalSteps, but they are ${saveSteps} and ${evalSteps}.`,
  )
}
