// the example of docs/adding-a-model.md, which stands there word for word
import { describe, expect, it } from 'vitest'
import { TrainableModel } from '../../src/auto/TrainableModel'
import { sequenceClassification } from '../../src/heads/sequenceClassification'
import type { Architecture } from '../../src/models/architecture'
import { bertGeometry, bertSettings, encodeBert, twoLayerHead } from '../../src/models/bertEncoder'
import { type ModelConfig, paddingId, sizeField } from '../../src/models/config'
import { initialValues } from '../../src/models/initialize'
import { bertConfig } from '../../src/models/fields'
import { createLayers } from '../../src/models/layers'
import { transformer } from '../../src/models/transformer'
import { Tensor } from '../../src/tensor'
import { classes, randomBatch } from '../helpers/batches'
import { withRunner } from '../helpers/compute'
import { expectInDocument } from './expectInDocument'

/** BERT's layers without segments, under other names. */
const plain: Architecture = {
  config: bertConfig,
  prefix: 'plain',
  inputNames: ['input_ids', 'attention_mask', 'position_ids'],
  geometry: config => ({ ...bertGeometry(config), segments: 0 }),
  encode(model, config, tokens, reads) {
    const { embedding, layerNorm } = createLayers(model, bertSettings(config))
    const width = sizeField(config, 'hidden_size')
    const vocabulary = sizeField(config, 'vocab_size')
    const positionCount = sizeField(config, 'max_position_embeddings')
    const words = embedding('plain.words', tokens.tokenIds, vocabulary, width, paddingId(config))
    const positions = embedding('plain.positions', tokens.positionIds, positionCount, width)
    const embedded = layerNorm('plain.norm', model.graph.add(words, positions))
    return encodeBert(model, config, 'plain', tokens, embedded, reads)
  },
  heads: {
    'sequence-classification': twoLayerHead('PlainForSequenceClassification', ({ graph }, x) => graph.tanh(x)),
  },
}

const config: ModelConfig = {
  model_type: 'plain',
  vocab_size: 23,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 12,
  initializer_range: 0.3,
}

describe('docs/adding-a-model.md', () => {
  it('has an example that is a model', async () => {
    const definition = transformer(plain, config, sequenceClassification(2))
    expect(definition.name).toBe('PlainForSequenceClassification')
    expect(definition.parameters.map(({ name }) => name).filter(name => !name.includes('encoder'))).toEqual([
      'plain.words.weight',
      'plain.positions.weight',
      'plain.norm.weight',
      'plain.norm.bias',
      'classifier.dense.weight',
      'classifier.dense.bias',
      'classifier.out_proj.weight',
      'classifier.out_proj.bias',
    ])
    const weights = definition.parameters.map(
      p => [p.name, new Tensor('float32', initialValues(p, 1), p.shape)] as const,
    )
    const model = new TrainableModel(definition, new Map(weights))
    const batch = randomBatch([6, 3, 9, 4], classes(0, 1, 1, 0), { seed: 2 })
    await withRunner(model, {}, batch, async (compute, runner) => {
      const first = await compute([batch], 0)
      for (let step = 0; step < 30; step++) {
        await runner.store.update({ step: step + 1, rate: 1e-2 })
        await compute([batch], step + 1)
      }
      await runner.store.discard()
      expect((await compute([batch], 31)).loss).toBeLessThan(first.loss / 2)
    })
  })

  it('has it word for word', () => {
    expectInDocument('adding-a-model.md', import.meta.url)
  })
})
