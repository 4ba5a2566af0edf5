// Python's config classes (scripts/fixtures/configs.py) against the table of fields
import { describe, expect, it } from 'vitest'
import { commonFields, type ConfigField, type FieldKind } from '../../src/models/fields'
import { completeConfig } from '../../src/models/checkConfig'
import { initialValues } from '../../src/models/initialize'
import { architectures } from '../../src/models/registry'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { ModelConfig } from '../../src/models/config'
import { readJson } from '../helpers/oracle'
import { tinyConfig } from '../helpers/tinyModel'

interface PythonField {
  type: string
  default: unknown
  checked: boolean
}
interface PythonFamily {
  fields: Record<string, PythonField>
  written: string[]
  attribute_map: Record<string, string>
  /** Fields that the model reads though the class does not state them, with the expression that is their default. */
  read: Record<string, string>
}
const { families } = readJson<{ families: Record<string, PythonFamily> }>('configFields.json')
const own = (of: PythonFamily, isOwn: boolean): [string, PythonField][] =>
  Object.entries(of.fields).filter(([, { checked }]) => checked === isOwn)

/** Which of our kinds a type of Python's may be. */
const kinds: Record<string, FieldKind[]> = {
  int: ['size', 'whole', 'any'],
  float: ['number'],
  str: ['activation', 'text'],
  bool: ['boolean'],
  'float | int': ['probability'],
  'int | float': ['probability'],
  'list[str] | None': ['any'],
  "dict[typing.Literal['full_attention', 'sliding_attention'], dict] | None": ['any'],
  "typing.Literal['cls', 'mean']": ['text'],
  'float | int | None': ['probability'],
  'int | None': ['token', 'any'],
  'int | list[int] | None': ['any'],
  'str | list[str] | None': ['names'],
}

it('every family has a table', () => {
  expect(Object.keys(families).toSorted()).toEqual(Object.keys(architectures).toSorted())
})

describe.each(Object.entries(families))("the table of %s's fields", (name, python) => {
  const { fields, read = {}, aliases } = architectures[name]!.config

  it("has Python's, with its types and defaults", () => {
    expect(Object.keys(fields).toSorted()).toEqual(
      own(python, true)
        .map(([field]) => field)
        .toSorted(),
    )
    for (const [field, { type, default: value }] of own(python, true)) {
      const ours: ConfigField = fields[field]!
      expect(ours.default, field).toBe(value)
      expect(kinds[type], `${field}: ${type}`).toContain(ours.kind)
      // RoBERTa's positions are counted from the padding id: without one Python's forward pass fails
      const needed = field === 'pad_token_id' && architectures[name]!.config.countsFromPadding
      if (ours.kind !== 'any') expect(ours.nullable ?? false, field).toBe(type.endsWith('None') && !needed)
    }
  })

  it('has what its model reads beside them', () => {
    expect(Object.keys(read)).toEqual(expect.arrayContaining(Object.keys(python.read)))
    const literal = (text: string): unknown =>
      ({ True: true, False: false, None: null })[text] ?? (/^["\d-]/.test(text) ? JSON.parse(text) : null)
    for (const [field, text] of Object.entries(python.read)) expect(read[field]!.default, field).toBe(literal(text))
  })

  it("has those of Python's base class, and its aliases", () => {
    const common = [...own(python, false).map(([field]) => field), ...python.written]
    for (const field of common) expect({ ...commonFields, ...read }, field).toHaveProperty(field)
    expect(aliases).toEqual(python.attribute_map)
  })

  it("makes a model of Python's sizes from a config that names none", () => {
    const complete = completeConfig({ model_type: name }, architectures[name]!.config)
    const defaults = own(python, true).map(([field, { default: value }]) => [field, value])
    const others = Object.entries(read).map(([field, { default: value }]) => [field, value])
    expect(complete).toEqual({ model_type: name, ...Object.fromEntries([...defaults, ...others]) })
  })

  const tiny = {
    ...tinyConfig,
    model_type: name,
    dim: 8,
    n_heads: 2,
    n_layers: 1,
    hidden_dim: 12,
    embedding_size: 8,
    pad_token_id: 0,
  }
  const build = (changes: object): unknown =>
    completeConfig({ ...tiny, ...changes } as ModelConfig, architectures[name]!.config)

  it('refuses values that a field cannot have, by name', () => {
    const wrong: Partial<Record<FieldKind, unknown[]>> = {
      size: [0, -1, 1.5, '12', true, 1e12, [12]],
      token: [-1, 30, 0.5, '1', [1]],
      number: [-0.1, 'small', NaN, [0.1]],
      probability: [-0.1, 1, 2, '0.1', NaN],
      activation: ['mish', '', 3, 'toString'],
      boolean: [0, 'false'],
      text: [3],
      whole: [0.5, '1', true, [1]],
      names: [1, [1], { 0: 'c2p' }],
    }
    for (const [field, { kind, nullable = false, effect, default: missing }] of Object.entries({
      ...fields,
      ...read,
    })) {
      const aliased = Object.entries(aliases).find(([, real]) => real === field)?.[0]
      for (const value of wrong[kind] ?? []) {
        const changes = { [aliased ?? field]: value }
        expect(() => build(changes), `${field} ${String(value)}`).toThrow(`"${field}"`)
      }
      if (kind === 'any') continue
      if (nullable || missing === null) expect(() => build({ [field]: null }), field).not.toThrow()
      else if (aliased === undefined) expect(() => build({ [field]: null }), field).toThrow(`"${field}"`)
      if (effect === 'refused') expect(() => build({ [field]: true }), field).toThrow(`has "${field}" true`)
    }
  })

  it('refuses what would change the computation, and takes what does not', () => {
    const refused = {
      position_embedding_type: 'relative_key',
      quantization_config: { quant_method: 'bitsandbytes', load_in_8bit: true },
      pruned_heads: { 0: [1] },
      per_layer_config: { 0: { hidden_dropout_prob: 0.5 } },
    }
    for (const [field, value] of Object.entries(refused)) {
      expect(() => build({ [field]: value })).toThrow(`has "${field}" ${JSON.stringify(value)}: `)
      expect(() => build({ [field]: null })).not.toThrow()
    }
    expect(() => build({ position_embedding_type: 'absolute', pruned_heads: {} })).not.toThrow()
    expect(() => build({ dtype: 'int8' })).toThrow('needs "dtype" as one of "float32"')
    const idle = { dtype: 'float16', chunk_size_feed_forward: 3, return_dict: false, is_encoder_decoder: true }
    expect(build({ ...idle, my_own: { deep: [1] } })).toMatchObject({ ...idle, my_own: { deep: [1] } })
  })

  it('refuses a size in the blink of an eye', () => {
    const layers = name === 'distilbert' ? 'n_layers' : 'num_hidden_layers'
    const start = performance.now()
    expect(() => modelFromConfig({ ...tiny, hidden_size: 8, num_hidden_layers: 1e9 })).toThrow(
      `has "${layers}" 1000000000, more than the 1000 allowed`,
    )
    const wide = { vocab_size: 60_000_000, hidden_size: 1000, embedding_size: 1000 }
    expect(() => modelFromConfig({ ...tiny, ...wide })).toThrow(
      /random weights; the largest is '\w+\.embeddings\.(?:word|tok)_embeddings\.weight' of shape \[60000000, 1000\]/,
    )
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('fields that go together', () => {
  const complete = (config: ModelConfig): ModelConfig =>
    completeConfig(config, architectures[config.model_type]!.config, '/models/mine/config.json')

  it('are refused with the file where they do not fit', () => {
    expect(() => complete({ ...tinyConfig, num_attention_heads: 3 })).toThrow(
      '/models/mine/config.json has "hidden_size" 8, which cannot be divided among 3 heads ("num_attention_heads").',
    )
    expect(() => complete({ ...tinyConfig, pad_token_id: 30 })).toThrow(
      '/models/mine/config.json has "pad_token_id" 30, which is not a token: "vocab_size" is 30, so ids are below that.',
    )
    expect(() => complete({ ...tinyConfig, model_type: 'roberta', max_position_embeddings: 2 })).toThrow(
      '"max_position_embeddings" 2, but positions are counted from 2, after "pad_token_id".',
    )
    expect(() => complete({ ...tinyConfig, model_type: 'roberta', pad_token_id: null })).toThrow(
      'needs "pad_token_id" as a whole number of at least 0, but it is null. A config without it has 1.',
    )
  })

  it("count under Python's other names, which win", () => {
    const aliased = { model_type: 'distilbert', hidden_size: 24, dim: 36, num_attention_heads: 3 }
    expect(complete(aliased)).toMatchObject({ dim: 24, n_heads: 3, n_layers: 6 })
    expect(complete(aliased)).not.toHaveProperty('hidden_size')
    const model = modelFromConfig({ ...aliased, num_hidden_layers: 1, vocab_size: 9 })
    expect(model.config).toMatchObject({ dim: 24, n_heads: 3, n_layers: 1 })
    expect(model.config).not.toHaveProperty('num_hidden_layers')
  })
})

it("DistilBERT's sinusoidal positions start as create_sinusoidal_embeddings of transformers 5.24 has them", () => {
  const sizes = { vocab_size: 9, n_layers: 1, n_heads: 2, dim: 6, hidden_dim: 4, max_position_embeddings: 5 }
  const model = modelFromConfig({ model_type: 'distilbert', ...sizes, sinusoidal_pos_embds: true })
  const found = model.definition.parameters.find(({ name }) => name.includes('position_embeddings'))!
  const python = [
    [0, 1, 0, 1, 0, 1],
    [0.8415, 0.5403, 0.0464, 0.9989, 0.0022, 1],
    [0.9093, -0.4161, 0.0927, 0.9957, 0.0043, 1],
    [0.1411, -0.99, 0.1388, 0.9903, 0.0065, 1],
    [-0.7568, -0.6536, 0.1846, 0.9828, 0.0086, 1],
  ].flat()
  const values = initialValues(found, 0)
  expect(values).toHaveLength(30)
  python.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 3))
  expect(found.trainable).toBe(true) // as in Python 5.24
})
