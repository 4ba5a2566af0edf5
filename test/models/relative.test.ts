// configs of families whose attention knows distances, beyond what their tables of fields say
import { describe, expect, it } from 'vitest'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import { matchWeights } from '../../src/checkpoint/pretrained'
import { architectureOf } from '../../src/models/registry'
import { tinyConfig } from '../helpers/tinyModel'

const deberta = { ...tinyConfig, model_type: 'deberta-v2', relative_attention: true, pos_att_type: 'c2p|p2c' }
const mpnet = { ...tinyConfig, model_type: 'mpnet' }

describe('a config that Python fails at when the model runs', () => {
  it.each([
    [{ ...mpnet, relative_attention_num_buckets: 31 }, '"relative_attention_num_buckets" 31, but attention has 32'],
    [{ ...mpnet, max_position_embeddings: 2 }, '"max_position_embeddings" 2, but positions are counted from 2'],
    [{ ...deberta, position_buckets: 1 }, '"position_buckets" 1, which cannot be.'],
    [{ ...deberta, conv_kernel_size: 4 }, '"conv_kernel_size" 4, which cannot be.'],
    [{ ...deberta, conv_kernel_size: 3, conv_groups: 3 }, '"conv_groups" 3, which cannot be.'],
    [{ ...deberta, pooler_hidden_size: 16 }, '"pooler_hidden_size" 16, which cannot be.'],
    [{ ...deberta, attention_head_size: 8 }, '"attention_head_size" 8, which cannot be.'],
  ])('%j', (config, message) => {
    expect(() => modelFromConfig(config)).toThrow(message)
  })
})

it.each([
  [true, false],
  [false, true],
])("reads the head for hidden words of DeBERTa where legacy is %j from a file with the other's names", (own, other) => {
  const parametersOf = (legacy: boolean): readonly { name: string; dims: readonly number[] }[] =>
    modelFromConfig({ ...deberta, legacy }, {}, 'masked-lm').definition.parameters.map(({ name, shape }) => ({
      name,
      dims: shape,
    }))
  const shapes = new Map(parametersOf(other).map(({ name, dims }) => [name, dims]))
  const { prefix, renames } = architectureOf(deberta)
  const options = { baseModelPrefix: prefix, renames: renames?.({ ...deberta, legacy: own }) }
  const { missing, unexpected, sources } = matchWeights(parametersOf(own), { folder: 'other', shapes }, options)
  expect({ missing, unexpected }).toEqual({ missing: [], unexpected: [] })
  expect([...sources].filter(([name, stored]) => name !== stored)).toHaveLength(5)
})
