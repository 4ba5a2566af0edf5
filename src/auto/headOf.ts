import type { Head, Task } from '../heads/Head'
import { features } from '../heads/features'
import { multipleChoice } from '../heads/multipleChoice'
import { questionAnswering } from '../heads/questionAnswering'
import { sequenceClassification } from '../heads/sequenceClassification'
import { maskedLanguageModel, tokenClassification } from '../heads/tokenClassification'
import { type ModelConfig, sizeField } from '../models/config'
import { labelCount } from '../models/labels'
import { architectureOf } from '../models/registry'

/** The head of each task, as a config states it. */
const heads: Readonly<Record<Task, (config: ModelConfig) => Head>> = {
  'sequence-classification': config => sequenceClassification(labelCount(config), config.problem_type ?? undefined),
  'token-classification': config => tokenClassification(labelCount(config)),
  'question-answering': () => questionAnswering,
  'multiple-choice': () => multipleChoice,
  'feature-extraction': config => features(sizeField(config, architectureOf(config).config.width)),
  'masked-lm': config => maskedLanguageModel(sizeField(config, 'vocab_size')),
}

/** The head that a model of a config has for a task. */
export function headOf(task: Task, config: ModelConfig): Head {
  return heads[task](config)
}
