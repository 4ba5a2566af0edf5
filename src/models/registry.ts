import { nearest, TrainerError } from '../errors'
import { albert } from './albert'
import type { Architecture } from './architecture'
import { bert } from './bert'
import type { ModelConfig } from './config'
import { distilbert } from './distilbert'
import { debertaV2 } from './debertaV2'
import { electra } from './electra'
import { mpnet } from './mpnet'
import { modernbert } from './modernbert'
import { otherKind } from './otherKinds'
import { camembert, roberta, xlmRoberta } from './roberta'

/** The architectures by the `model_type` of their configs. */
export const architectures: Readonly<Record<string, Architecture>> = {
  bert,
  roberta,
  'xlm-roberta': xlmRoberta,
  camembert,
  distilbert,
  electra,
  albert,
  mpnet,
  'deberta-v2': debertaV2,
  modernbert,
}

/**
 * The architecture of a config.
 * @param source what the config is called in the message: its file.
 * @throws TrainerError ('model') listing the known ones.
 */
export function architectureOf(config: ModelConfig, source?: string): Architecture {
  const known = Object.hasOwn(architectures, config.model_type) ? architectures[config.model_type] : undefined
  if (known !== undefined) return known
  const names = Object.keys(architectures).join(', ')
  if (config.model_type === undefined)
    throw new TrainerError('model', `${source ?? 'The config'} has no "model_type"; these are known: ${names}.`, {
      fix: "Fields have Python's names: { model_type: 'bert', hidden_size: 768, … }.",
    })
  const type = JSON.stringify(config.model_type)
  const where = source === undefined ? '' : ` of ${source}`
  const kind = otherKind(config)
  if (kind !== undefined) {
    const problem = `The model_type ${type}${where} is that of a ${kind} model, which generates text`
    throw new TrainerError('model', `${problem}. This package fine-tunes encoders, which read it: ${names}.`, {
      fix: 'Choose a model of one of these families, for classes, tokens, answers, choices or hidden words.',
    })
  }
  const close = nearest(String(config.model_type), Object.keys(architectures))
  throw new TrainerError('model', `The model_type ${type}${where} is not supported; these are: ${names}.`, {
    ...(close !== undefined && { fix: `Did you mean "${close}"?` }),
  })
}
