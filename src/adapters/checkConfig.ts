// the options of an adapter, checked before anything is made of them
import { TrainerError } from '../errors'
import type { Model } from '../models/Model'
import { checkOptions, shown } from '../options'
import {
  called,
  type LoraConfig,
  type OptionsSource,
  peftNames,
  type PeftTask,
  peftTasks,
  taskTypes,
  withLoraDefaults,
} from './LoraConfig'

/**
 * @throws TrainerError ('argument') for an option that there is not, a value that cannot be, and another head's task.
 */
export function checkConfig<Inputs>(
  model: Pick<Model<Inputs>, 'name' | 'head'>,
  config: LoraConfig,
  source: OptionsSource,
): void {
  checkOptions(config, Object.keys(peftNames), source.where)
  checkNumbers(config, source)
  checkNames(config, source)
  checkLayers(config, source)
  checkTask(model, config.taskType, source)
}

function check(isRight: boolean, name: string, value: unknown, expected: string): void {
  if (isRight) return
  throw new TrainerError('argument', `${name} is ${shown(value)}; ${expected} was expected.`)
}

function checkNumbers(config: LoraConfig, source: OptionsSource): void {
  const { r, rankPattern, loraAlpha, alphaPattern, loraDropout } = withLoraDefaults(config)
  for (const [option, pattern] of Object.entries({ rankPattern, alphaPattern }))
    check(
      isTable(pattern),
      called(source, option as 'rankPattern'),
      pattern,
      "an object such as { 'layer.0.*query': 4 }",
    )
  const named = (option: 'rankPattern' | 'alphaPattern') => (entry: readonly [string, number]) =>
    [`${called(source, option)}, "${entry[0]}",`, entry[1]] as const
  const ranks = [[called(source, 'r'), r] as const, ...Object.entries(rankPattern).map(named('rankPattern'))]
  for (const [name, rank] of ranks) check(Number.isInteger(rank) && rank > 0, name, rank, 'a whole number above 0')
  const alphas = [
    [called(source, 'loraAlpha'), loraAlpha] as const,
    ...Object.entries(alphaPattern).map(named('alphaPattern')),
  ]
  for (const [name, alpha] of alphas) check(Number.isFinite(alpha), name, alpha, 'a number')
  check(loraDropout >= 0 && loraDropout < 1, called(source, 'loraDropout'), loraDropout, 'a probability below 1')
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkNames(config: LoraConfig, source: OptionsSource): void {
  const { bias, initLoraWeights, useRslora } = withLoraDefaults(config)
  const { modulesToSave, layersPattern } = config
  check(['none', 'all', 'lora_only'].includes(bias), called(source, 'bias'), bias, "'none', 'all' or 'lora_only'")
  const starts: readonly unknown[] = [true, false, 'gaussian']
  check(
    starts.includes(initLoraWeights),
    called(source, 'initLoraWeights'),
    initLoraWeights,
    "true, false or 'gaussian'",
  )
  check(typeof useRslora === 'boolean', called(source, 'useRslora'), useRslora, 'true or false')
  for (const option of ['targetModules', 'excludeModules'] as const) {
    const given = config[option]
    const isOne = given === undefined || typeof given === 'string' || given instanceof RegExp
    check(isOne || isTexts(given), called(source, option), given, 'a list of names or a regular expression')
  }
  check(
    modulesToSave === undefined || isTexts(modulesToSave),
    called(source, 'modulesToSave'),
    modulesToSave,
    'a list of names',
  )
  const isPattern = layersPattern === undefined || typeof layersPattern === 'string' || isTexts(layersPattern)
  check(isPattern, called(source, 'layersPattern'), layersPattern, 'a name or a list of names')
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

/** As PEFT has it: numbers of layers narrow a list of names, and say nothing beside a pattern. */
function checkLayers({ targetModules, layersToTransform, layersPattern }: LoraConfig, source: OptionsSource): void {
  const numbers = [layersToTransform ?? []].flat() as readonly unknown[]
  const areNumbers = numbers.every(number => Number.isInteger(number) && Number(number) >= 0)
  check(
    areNumbers,
    called(source, 'layersToTransform'),
    layersToTransform,
    'a whole number from 0, or a list of these,',
  )
  const given = (['layersToTransform', 'layersPattern'] as const).find(
    option => ({ layersToTransform, layersPattern })[option] !== undefined,
  )
  if (given === undefined) return
  if (typeof targetModules === 'string' || targetModules instanceof RegExp)
    throw new TrainerError('argument', `${called(source, given)} is given, but targetModules is no list of names.`, {
      fix: 'Give a list, or write the numbers of the layers into the regular expression.',
    })
  if (layersToTransform === undefined)
    throw new TrainerError('argument', `${called(source, 'layersPattern')} is given without layersToTransform.`, {
      fix: 'Give the numbers of the layers too, or leave it out.',
    })
}

/** The classes that open adapters of PEFT's tasks. */
const classes: Readonly<Record<PeftTask, string>> = {
  SEQ_CLS: 'AutoModelForSequenceClassification',
  TOKEN_CLS: 'AutoModelForTokenClassification',
  QUESTION_ANS: 'AutoModelForQuestionAnswering',
  FEATURE_EXTRACTION: 'AutoModel',
}

/** The pipelines of PEFT's tasks. */
const pipelines: Readonly<Partial<Record<PeftTask, string>>> = {
  SEQ_CLS: 'text-classification',
  TOKEN_CLS: 'token-classification',
  QUESTION_ANS: 'question-answering',
}

function checkTask<Inputs>(
  { head, name }: Pick<Model<Inputs>, 'name' | 'head'>,
  taskType: PeftTask | undefined,
  source: OptionsSource,
): void {
  const own = taskTypes[head.task]
  if (taskType === undefined || taskType === own) return
  const isKnown = Object.hasOwn(peftTasks, taskType)
  const found = isKnown ? `but ${name} is for ${head.task.replaceAll('-', ' ')}` : 'which is none that encoders have'
  const leave = own === undefined ? 'Leave it out.' : `Leave it out, or give '${own}'.`
  const pipeline = pipelines[taskType]
  const use = pipeline === undefined ? '' : `, or use pipeline('${pipeline}', …)`
  const open = `Open it by ${classes[taskType]}${use}. Its encoder alone is had of the merged model: mergeAndUnload().savePretrained(folder).`
  throw new TrainerError('argument', `${called(source, 'taskType')} is '${String(taskType)}', ${found}.`, {
    fix: source.isFile && isKnown ? open : leave,
  })
}
