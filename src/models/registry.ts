import { nearest, TrainerError } from '../errors'
import { bert } from './bert'
import type { ModelConfig } from './config'
import { distilbert } from './distilbert'
import { electra } from './electra'
import type { Family } from './family'
import { camembert, roberta, xlmRoberta } from './roberta'

/** The families by the `model_type` of their configs. */
export const families: Readonly<Record<string, Family>> = {
  bert,
  roberta,
  'xlm-roberta': xlmRoberta,
  camembert,
  distilbert,
  electra,
}

/** The family of a config. @throws TrainerError listing the known ones. */
export function familyOf(config: ModelConfig): Family {
  const family = Object.hasOwn(families, config.model_type) ? families[config.model_type] : undefined
  if (family !== undefined) return family
  const close = nearest(String(config.model_type), Object.keys(families))
  const known = Object.keys(families).join(', ')
  throw new TrainerError(
    'model',
    `The model_type ${JSON.stringify(config.model_type)} is not supported; these are: ${known}.`,
    {
      ...(close !== undefined && { fix: `Did you mean "${close}"?` }),
    },
  )
}
