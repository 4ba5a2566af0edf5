// the models of each task, by the names of Python's classes
import type { ModelConfig } from '../models/config'
import type { Tensor } from '../tensor'
import { hasAdapter, modelOfAdapter } from './modelOfAdapter'
import { readConfig } from './folders'
import type { HeadChoice } from './headOf'
import { checkPretrainedOptions, type ModelOptions, type PretrainedOptions } from './modelOptions'
import { modelFromConfig, modelFromFolder, type PreTrainedModel } from './PreTrainedModel'
import { openSource } from './sources'

/** Makes the models of a task. */
export interface AutoModelFor<Prediction = Tensor> {
  /**
   * A model of the config and the weights of a folder, or of a repository on the Hub by its id. Weights that the folder lacks (the head's, mostly) start at random, and a
   * warning names them. Of PEFT's low-rank adapters the base model is loaded first, and a `PeftModel` is returned.
   * @throws TrainerError for a missing or broken file, a model_type that is not supported or has no such head, weights of
   * another shape, or options of labels (`numLabels`, …) where the head has none.
   */
  fromPretrained(folderOrId: string, options?: PretrainedOptions): Promise<PreTrainedModel<Prediction>>
  /**
   * A model of a config, all of whose weights start at random: a function of `seed`.
   * @throws TrainerError for a config that cannot be.
   */
  fromConfig(config: ModelConfig, options?: ModelOptions): PreTrainedModel<Prediction>
}

/** Makes the models of a task, whose predictions are of that type. */
export function autoModelFor<Prediction = Tensor>(task: HeadChoice): AutoModelFor<Prediction> {
  return {
    async fromPretrained(folderOrId, options = {}) {
      checkPretrainedOptions(options, task)
      const source = await openSource('model', folderOrId, options)
      await source.fetchConfig()
      if (await hasAdapter(source.folder)) return modelOfAdapter<Prediction>(source, options, task)
      return modelFromFolder<Prediction>(source.folder, await readConfig(source.folder), options, task, source)
    },
    fromConfig: (config, options = {}) => modelFromConfig<Prediction>(config, options, task),
  }
}

/**
 * Models that give each text a class, several classes, or a number.
 *
 * @example
 * const model = await AutoModelForSequenceClassification.fromPretrained('bert-base-uncased', { numLabels: 2 })
 */
export const AutoModelForSequenceClassification: AutoModelFor = autoModelFor('sequence-classification')

/**
 * Models that give each token a class: names, parts of speech. Labels are [rows, length], -100 where none counts.
 *
 * @example
 * const model = await AutoModelForTokenClassification.fromPretrained('./bert', { id2label: ['O', 'B-PER', 'I-PER'] })
 */
export const AutoModelForTokenClassification: AutoModelFor = autoModelFor('token-classification')

/**
 * Models that find where in a text the answer to a question begins and ends: labels `start_positions` and
 * `end_positions`, predictions start and end logits [rows, length].
 *
 * @example
 * const model = await AutoModelForQuestionAnswering.fromPretrained('./bert')
 */
export const AutoModelForQuestionAnswering: AutoModelFor<readonly [start: Tensor, end: Tensor]> =
  autoModelFor('question-answering')

/**
 * Models that choose among several texts: columns of tokens are [rows, choices, length], predictions [rows, choices].
 *
 * @example
 * const model = await AutoModelForMultipleChoice.fromPretrained('./bert')
 */
export const AutoModelForMultipleChoice: AutoModelFor = autoModelFor('multiple-choice')

/**
 * Models that guess hidden words: labels are the ids of the words [rows, length], -100 where none is hidden; predictions
 * [rows, length, vocabulary].
 *
 * @example
 * const model = await AutoModelForMaskedLM.fromPretrained('./bert')
 */
export const AutoModelForMaskedLM: AutoModelFor = autoModelFor('masked-lm')
