import { TrainerError } from '../errors'
import type { Head, HeadTask, Task } from '../heads/Head'
import { features } from '../heads/features'
import type { OwnHead } from '../heads/OwnHead'
import { multipleChoice } from '../heads/multipleChoice'
import { questionAnswering } from '../heads/questionAnswering'
import { sequenceClassification } from '../heads/sequenceClassification'
import { maskedLanguageModel, tokenClassification } from '../heads/tokenClassification'
import { type ModelConfig, sizeField } from '../models/config'
import { labelCount } from '../models/labels'
import { ownHeadOf } from '../models/ownHeadOf'
import { architectureOf } from '../models/registry'

/** A task, whose head the package has, or a head of the user's own. */
export type HeadChoice = Task | OwnHead<string, never>

/** The head of each task, as a config states it. */
const heads: Readonly<Record<Task, (config: ModelConfig) => Head>> = {
  'sequence-classification': config => sequenceClassification(labelCount(config), config.problem_type ?? undefined),
  'token-classification': config => tokenClassification(labelCount(config)),
  'question-answering': () => questionAnswering,
  'multiple-choice': () => multipleChoice,
  'feature-extraction': config => features(sizeField(config, architectureOf(config).config.width)),
  'masked-lm': config => maskedLanguageModel(sizeField(config, 'vocab_size')),
}

/** What a caller may say of a head's labels, for each task whose head has classes. */
const labelOptions: Partial<Record<HeadTask, readonly string[]>> = {
  'sequence-classification': ['numLabels', 'id2label', 'label2id', 'problemType'],
  'token-classification': ['numLabels', 'id2label', 'label2id'],
}

/**
 * Refuses what a caller says of labels, by option or by the config's fields, where the head does not go by it. What a
 * config says itself may be of another head, and is harmless.
 * @throws TrainerError ('argument') naming the option.
 */
export function refuseLabelOptions(options: Readonly<Record<string, unknown>>, choice: HeadChoice): void {
  const task = taskOf(choice)
  const known = labelOptions['sequence-classification']!
  const taken = labelOptions[task] ?? []
  const fields = (options['config'] ?? {}) as Readonly<Record<string, unknown>>
  for (const name of known.filter(option => !taken.includes(option))) {
    const field = name.replace(/[A-Z]/, letter => `_${letter.toLowerCase()}`)
    const given = options[name] !== undefined ? name : fields[field] !== undefined ? `config.${field}` : undefined
    if (given === undefined) continue
    const others = name === 'problemType' ? 'takes it' : 'and AutoModelForTokenClassification take it'
    throw new TrainerError('argument', `The option ${given} does not apply to a model for ${task}.`, {
      fix: `Leave it out: AutoModelForSequenceClassification ${others}.`,
    })
  }
}

/** What a head is for. */
export function taskOf(choice: HeadChoice): HeadTask {
  return typeof choice === 'string' ? choice : 'custom-outputs'
}

/** The head that a model of a config has, which has all of its fields. */
export function headOf(choice: HeadChoice, config: ModelConfig): Head {
  return typeof choice === 'string' ? heads[choice](config) : ownHeadOf(choice, architectureOf(config), config)
}
