// heads of the user's own that PyTorch has computed: scripts/fixtures/ownHeads.py
import { join } from 'node:path'
import type { Plain } from '../../scripts/reference/plainTensor'
import {
  AutoModel,
  type Batch,
  binaryCrossEntropy,
  crossEntropy,
  type Dataset,
  meanSquaredError,
  ownHead,
} from '../../src/index'
import { batchOf, fixtures, type OracleCase, readJson } from '../helpers/oracle'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { rowsIn } from './taskBatches'

/** Classes, a number and several labels of each row. */
export const triage = ownHead({
  name: 'BertForTriage',
  labels: { topic: { classes: 3 }, urgency: { numbers: 1 }, flags: { numbers: 4 } },
  outputs(encoded, { graph, linear, layerNorm }) {
    const inner = layerNorm('urgency_norm', graph.gelu(linear('urgency_dense', encoded.first(), 6)))
    return {
      topic: linear('topic', encoded.pooled(), 3),
      urgency: linear('urgency', inner, 1),
      flags: linear('flags', inner, 4),
    }
  },
  loss: (outputs, labels, graph) => ({
    topic: crossEntropy(graph, outputs.topic, labels.topic),
    urgency: meanSquaredError(graph, outputs.urgency, labels.urgency),
    flags: binaryCrossEntropy(graph, outputs.flags, labels.flags),
  }),
  weights: { urgency: 0.5, flags: 2 },
})

/** A class for each token, and one for each row. */
export const slots = ownHead({
  name: 'DistilBertForSlots',
  labels: { intent: { classes: 4 }, labels: { classes: 5, of: 'tokens' } },
  outputs: (encoded, { linear }) => ({
    intent: linear('intent', encoded.first(), 4),
    slots: linear('slots', encoded.tokens(), 5),
  }),
  loss: (outputs, labels, graph) => ({
    intent: crossEntropy(graph, outputs.intent, labels.intent),
    labels: crossEntropy(graph, outputs.slots, labels.labels),
  }),
})

export const loadTriage = () => AutoModel.fromPretrained(join(fixtures, 'own-bert-triage'), { head: triage })
export const loadSlots = () => AutoModel.fromPretrained(join(fixtures, 'own-distilbert-slots'), { head: slots })

/** What PyTorch computed, and the batch that it was computed of. */
export function oracleOf(name: 'bert-triage' | 'distilbert-slots') {
  const oracle = readJson<Omit<OracleCase, 'outputs'> & { outputs: Record<string, Plain> }>(`own-${name}`, 'own.json')
  const batch: Batch = batchOf(oracle.inputs)
  return { ...oracle, batch }
}

/** The rows of {@link triage}'s batch. */
export const triageRows = rowsIn(oracleOf('bert-triage').batch) as Dataset<{
  topic: number
  urgency: number
  flags: number[]
}>

/** Arguments of a short run, in a folder of its own. */
export const shortRun = (fields: object = {}) => ({
  outputDir: temporaryFolder(),
  threads: 1,
  perDeviceTrainBatchSize: 2,
  perDeviceEvalBatchSize: 4,
  saveStrategy: 'no' as const,
  ...fields,
})
