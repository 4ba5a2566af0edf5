import { TrainerError } from '../errors'
import { isRepositoryId } from '../hub/ids'
import { checkOptions, shown } from '../options'

/** What the run does not know about itself; one text, or several. */
export interface ModelCardOptions {
  /** Languages in the Hub's abbreviation: 'en'. */
  readonly language?: string | readonly string[]
  /** In the Hub's abbreviation: 'apache-2.0'. Default: that of the base model's card. */
  readonly license?: string
  /** Tags beside those of an older card and those that every card has. */
  readonly tags?: string | readonly string[]
  /** Default: the last part of `outputDir`. */
  readonly modelName?: string
  /** The base model's id on the Hub. Default: the id that the model was loaded by. */
  readonly finetunedFrom?: string
  /** What the model does, in the Hub's words: 'text-classification'. Default: what its head says. */
  readonly tasks?: string | readonly string[]
  /** The datasets' ids on the Hub. Default: the id that the dataset was loaded by. */
  readonly datasetTags?: string | readonly string[]
  /** Their names for people. Default: their ids. */
  readonly dataset?: string | readonly string[]
  /** Their configurations, such as `mrpc`. Default: the one that was loaded. */
  readonly datasetArgs?: string | readonly string[]
}

/** Whether an option may be several texts. */
const cardOptions: Readonly<Record<keyof ModelCardOptions, 'one' | 'several'>> = {
  language: 'several',
  license: 'one',
  tags: 'several',
  modelName: 'one',
  finetunedFrom: 'one',
  tasks: 'several',
  datasetTags: 'several',
  dataset: 'several',
  datasetArgs: 'several',
}

/** The names of {@link ModelCardOptions}. */
export const cardOptionNames = Object.keys(cardOptions)

/** @throws TrainerError ('argument') for an option that there is not, or with a value of another kind. */
export function checkCardOptions(options: ModelCardOptions, where: string): void {
  checkOptions(options, cardOptionNames, where)
  for (const [name, value] of Object.entries(options) as [keyof ModelCardOptions, unknown][]) {
    if (value === undefined || typeof value === 'string') continue
    const several = cardOptions[name] === 'several'
    if (several && Array.isArray(value) && value.every(item => typeof item === 'string')) continue
    const expected = several ? 'a text, or a list of texts' : 'a text'
    throw new TrainerError('argument', `${where}: ${name} is ${shown(value)}; ${expected} was expected.`)
  }
  const { finetunedFrom } = options
  if (finetunedFrom !== undefined && !isRepositoryId(finetunedFrom))
    throw new TrainerError(
      'argument',
      `${where}: finetunedFrom is '${finetunedFrom}', which is not an id of the Hub.`,
      {
        fix: 'Give the id, ORGANIZATION/NAME, or leave it out: a folder of this machine means nothing to others.',
      },
    )
}

/** One text, or several, as a list. */
export function listed(given: string | readonly string[] | undefined): string[] {
  return given === undefined ? [] : typeof given === 'string' ? [given] : [...given]
}
