import { join } from 'node:path'
import { modelFromFolder, type PreTrainedModel } from '../../src/auto/PreTrainedModel'
import type { ProblemType } from '../../src/heads/problemType'
import { sequenceClassification } from '../../src/heads/sequenceClassification'
import type { ModelConfig } from '../../src/models/config'
import { labelCount } from '../../src/models/labels'
import type { Model } from '../../src/models/Model'
import { architectureOf } from '../../src/models/registry'
import { transformer } from '../../src/models/transformer'
import type { MakeTokenLayout, TokenValues } from '../../src/feeds/TokenLayout'
import { fixtures, readJson } from './oracle'

export const familyNames = [
  'bert',
  'roberta',
  'xlm-roberta',
  'camembert',
  'distilbert',
  'electra',
  'albert',
  'mpnet',
  'deberta-v2',
  'modernbert',
] as const
export type FamilyName = (typeof familyNames)[number]

const noDropout = {
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  classifier_dropout: 0,
  classifier_dropout_prob: 0,
  dropout: 0,
  attention_dropout: 0,
  seq_classif_dropout: 0,
  pooler_dropout: 0,
  cls_dropout: 0,
  embedding_dropout: 0,
  mlp_dropout: 0,
}

/**
 * A family's smallest model (2 layers of width 8, 12 positions, 23 tokens, 3 labels) with the oracle's weights; no
 * dropout unless the fields say so.
 */
export async function oracleModel(
  family: FamilyName,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<PreTrainedModel> {
  const config = readJson<ModelConfig>(`dropout-${family}`, 'config.json')
  return modelFromFolder(join(fixtures, `dropout-${family}`), { ...config, ...noDropout, ...fields })
}

/** What a config's model computes, with a decided head. */
export function definitionOf(
  config: ModelConfig,
  problemType: ProblemType = 'single_label_classification',
  layout?: MakeTokenLayout,
): Model<TokenValues> {
  return transformer(architectureOf(config), config, sequenceClassification(labelCount(config), problemType), layout)
}
