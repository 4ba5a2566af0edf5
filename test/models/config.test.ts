import { describe, expect, it } from 'vitest'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { ModelConfig } from '../../src/models/config'
import { withLabels } from '../../src/models/labels'
import { initialValues } from '../../src/models/initialize'
import { architectureOf } from '../../src/models/registry'
import { definitionOf } from '../helpers/oracleModels'
import { tinyConfig } from '../helpers/tinyModel'

const config = { ...tinyConfig, vocab_size: 5000, hidden_size: 16, intermediate_size: 24 }

describe('a config that cannot be', () => {
  const build = (fields: Record<string, unknown>): unknown => definitionOf({ ...config, ...fields } as ModelConfig)
  it.each<[Record<string, unknown>, string]>([
    [
      { model_type: 'brt' },
      'The model_type "brt" is not supported; these are: bert, roberta, xlm-roberta, camembert, distilbert, electra, albert, mpnet, deberta-v2, modernbert. Did you mean "bert"?',
    ],
    [{ model_type: 'longformer' }, 'The model_type "longformer" is not supported; these are: bert'],
    [
      { model_type: 'gpt2' },
      'The model_type "gpt2" is that of a causal model, which generates text. This package fine-tunes encoders, which read ' +
        'it: bert, roberta, xlm-roberta, camembert, distilbert, electra, albert, mpnet, deberta-v2, modernbert. Choose a model of one of these families, ' +
        'for classes, tokens, answers, choices or hidden words.',
    ],
    ...['gpt_neox', 'llama', 'llama4_text', 'qwen2', 'qwen3_moe', 'mistral', 'gemma3_text', 'phi3', 'opt', 'bloom'].map(
      (model_type): [Record<string, unknown>, string] => [{ model_type }, `"${model_type}" is that of a causal model`],
    ),
    ...['t5', 'mt5', 'bart', 'mbart', 'pegasus', 'marian', 'm2m_100', 'led', 'encoder-decoder'].map(
      (model_type): [Record<string, unknown>, string] => [
        { model_type },
        `"${model_type}" is that of a sequence-to-sequence model`,
      ],
    ),
    [{ model_type: 'new', architectures: ['NewForCausalLM'] }, '"new" is that of a causal model'],
    [{ model_type: 'new', is_encoder_decoder: true }, '"new" is that of a sequence-to-sequence model'],
    [{ model_type: 'barthez' }, 'The model_type "barthez" is not supported'],
    [{ model_type: 'toString' }, 'The model_type "toString" is not supported'],
    [{ model_type: undefined }, 'The config has no "model_type"; these are known: bert'],
    [
      { hidden_size: null },
      'The config of this bert model needs "hidden_size" as a whole number of at least 1, but it is null. ' +
        'A config without it has 768.',
    ],
    [{ num_attention_heads: '12' }, 'needs "num_attention_heads" as a whole number of at least 1, but it is "12".'],
    [{ num_hidden_layers: 1.5 }, 'needs "num_hidden_layers" as a whole number of at least 1, but it is 1.5.'],
    [
      { hidden_dropout_prob: 1 },
      'needs "hidden_dropout_prob" as a probability of at least 0 and below 1, but it is 1.',
    ],
    [{ attention_probs_dropout_prob: -0.1 }, 'needs "attention_probs_dropout_prob" as a probability'],
    [{ layer_norm_eps: 'small' }, 'needs "layer_norm_eps" as a number of at least 0, but it is "small".'],
    [{ hidden_act: 'mish' }, 'needs "hidden_act" as one of "gelu", "gelu_python", "relu", "tanh"'],
    [{ hidden_act: 3 }, 'but it is 3. A config without it has "gelu".'],
    [{ hidden_act: 'constructor' }, 'but it is "constructor".'],
    [
      { num_attention_heads: 3 },
      'The config of this bert model has "hidden_size" 16, which cannot be divided among 3 heads ("num_attention_heads").',
    ],
    [{ num_attention_heads: 0 }, 'needs "num_attention_heads" as a whole number of at least 1, but it is 0.'],
    [{ hidden_size: -16 }, 'needs "hidden_size" as a whole number of at least 1, but it is -16.'],
    [{ vocab_size: 0 }, 'needs "vocab_size" as a whole number of at least 1, but it is 0.'],
    [{ num_hidden_layers: 0 }, 'needs "num_hidden_layers" as a whole number of at least 1, but it is 0.'],
  ])('%j', (fields, message) => {
    expect(() => build(fields)).toThrow(message)
  })
})

describe('withLabels', () => {
  it('names labels as Hugging Face does', () => {
    expect(withLabels(config, { numLabels: 3 })).toMatchObject({
      id2label: { 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' },
      label2id: { LABEL_0: 0, LABEL_1: 1, LABEL_2: 2 },
    })
    expect(withLabels(config, { id2label: ['no', 'yes'] })).toMatchObject({
      id2label: { 0: 'no', 1: 'yes' },
      label2id: { no: 0, yes: 1 },
    })
    const named = withLabels(config, { id2label: ['no', 'yes'] })
    expect(withLabels(named, { numLabels: 2 })).toBe(named) // names that fit stay
    expect(withLabels(config, {})).toBe(config)
  })

  it('refuses numbers that disagree', () => {
    expect(() => withLabels(config, { numLabels: 3, id2label: ['no', 'yes'] })).toThrow(
      'numLabels is 3, but id2label names 2 labels. Give only one of the two, or make them agree.',
    )
    expect(() => withLabels(config, { numLabels: 0 })).toThrow(
      'numLabels has to be a whole number of at least 1, not 0.',
    )
  })
})

describe('a model of random weights', () => {
  const deviation = (values: Float32Array): number =>
    Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)

  it('starts as _init_weights has it: normal with the range of the config, biases 0, norms 1, the padding row 0', () => {
    const model = modelFromConfig({ ...config, initializer_range: 0.05, pad_token_id: 3 })
    const words = model.parameter('bert.embeddings.word_embeddings.weight').data
    expect(deviation(words)).toBeCloseTo(0.05, 2)
    expect(words.slice(48, 64)).toEqual(new Float32Array(16))
    expect(words.slice(0, 16).every(v => v !== 0)).toBe(true)
    expect(Math.abs(words.reduce((sum, v) => sum + v, 0) / words.length)).toBeLessThan(
      (4 * 0.05) / Math.sqrt(words.length),
    )
    expect(new Set(model.parameter('bert.embeddings.LayerNorm.weight').data)).toEqual(new Set([1]))
    expect(new Set(model.parameter('bert.encoder.layer.0.attention.self.key.bias').data)).toEqual(new Set([0]))
  })

  it('is a function of the seed and the name', () => {
    const a = modelFromConfig(config, { seed: 1 })
    const b = modelFromConfig(config, { seed: 1 })
    const other = modelFromConfig(config, { seed: 2 })
    const name = 'bert.pooler.dense.weight'
    expect(a.parameter(name).data).toEqual(b.parameter(name).data)
    expect(a.parameter(name).data).not.toEqual(other.parameter(name).data)
    const [first, second] = ['x', 'y'].map(parameter =>
      initialValues(
        { name: parameter, shape: [4, 4], initialization: { kind: 'normal', deviation: 1 }, trainable: true },
        1,
      ),
    )
    expect(first).not.toEqual(second)
  })

  it.each([
    ['bert', 'BertForSequenceClassification'],
    ['xlm-roberta', 'XLMRobertaForSequenceClassification'],
    ['camembert', 'CamembertForSequenceClassification'],
    ['distilbert', 'DistilBertForSequenceClassification'],
    ['electra', 'ElectraForSequenceClassification'],
    ['roberta', 'RobertaForSequenceClassification'],
    ['albert', 'AlbertForSequenceClassification'],
    ['modernbert', 'ModernBertForSequenceClassification'],
  ])('of %s is %s', (model_type, name) => {
    const layers = architectureOf({ model_type }).heads['sequence-classification']
    expect(layers).toMatchObject({ className: name })
  })
})
