// labels of a config as Python reads them (scripts/fixtures/configs.py), and those that a caller gives
import { describe, expect, it } from 'vitest'
import type { ModelOptions } from '../../src/auto/modelOptions'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { Task } from '../../src/heads/Head'
import { Dataset } from '../../src/data/dataset'
import { setLogSink } from '../../src/logging'
import type { ModelConfig } from '../../src/models/config'
import { readJson } from '../helpers/oracle'
import { tinyConfig } from '../helpers/tinyModel'

interface Outcome {
  error?: string
  num_labels: number
  id2label: Record<string, string>
  label2id: Record<string, number> | null
  problem_type: string | null
}
const { cases, sizes } = readJson<{
  sizes: ModelConfig
  cases: { fields: Record<string, unknown>; python: Outcome }[]
}>('configLabels.json')

/** What Python takes and we refuse: a head of no outputs, true for a number, two names of one label. */
function isRefusedHere({ num_labels: count, id2label }: Record<string, unknown>): boolean {
  if (count === true || count === 0 || count === -1) return true
  const keys = Object.keys(id2label ?? {})
  return (
    id2label !== undefined && id2label !== null && (keys.length === 0 || new Set(keys.map(Number)).size < keys.length)
  )
}

const warnings: string[] = []
const build = (config: object, options?: ModelOptions): ReturnType<typeof modelFromConfig> => {
  warnings.length = 0
  setLogSink((_level, message) => void warnings.push(message))
  return modelFromConfig({ ...tinyConfig, ...config }, options)
}

describe('labels of a config are those of Python', () => {
  it.each(cases)('$fields', ({ fields, python }) => {
    if (python.error !== undefined || isRefusedHere(fields)) {
      expect(() => build({ ...sizes, ...fields })).toThrow(/"(num_labels|id2label)" as|problem type/)
      return
    }
    const model = build({ ...sizes, ...fields })
    expect(model.numLabels).toBe(python.num_labels)
    expect(model.parameter('classifier.weight').dims).toEqual([python.num_labels, 4])
    const isDefault = python.num_labels === 2 && model.config.id2label === undefined
    if (!isDefault) {
      const names = Object.entries(python.id2label).map(([id, name]) => [id, String(name)] as const)
      expect(model.config.id2label).toEqual(Object.fromEntries(names))
      // Python leaves here what the file says, or LABEL_0 …
      expect(model.config.label2id).toEqual(Object.fromEntries(names.map(([id, name]) => [name, Number(id)])))
    }
    expect(model.config.problem_type ?? null).toBe(python.problem_type)
    expect(model.config).not.toHaveProperty('num_labels')
  })

  it('of which some are taken and some refused', () => {
    const refused = cases.filter(({ python }) => python.error !== undefined).length
    expect(cases.length).toBeGreaterThanOrEqual(60)
    expect(refused).toBeGreaterThan(10)
    expect(refused).toBeLessThan(cases.length / 2)
  })

  it('which says what is lost or odd', () => {
    build({ num_labels: 3, id2label: { 0: 'no', 1: 'yes' } })
    expect(warnings).toEqual([
      expect.stringContaining('model has "num_labels" 3, but its "id2label" names 2 labels: as in Python num_labels'),
    ])
    build({ label2id: { a: 0, b: 1, c: 2 } })
    expect(warnings).toEqual([expect.stringContaining('counts for nothing, as in Python: the model has 2 labels')])
    build({ id2label: { 1: 'a', 2: 'b', 3: 'c' } })
    expect(warnings).toEqual([
      expect.stringContaining(
        'has an "id2label" of the labels 1, 2, 3, but the model\'s outputs count from 0 to 2: 0 has',
      ),
    ])
    build({ id2label: { 1: 'a', 2: 'b' } }, { id2label: ['a', 'b'] })
    build({ num_labels: 3, id2label: null, label2id: null })
    expect(warnings).toEqual([])
  })

  it.each([
    [{ id2label: { 0: 'ENTAILMENT', 1: 'neutral' } }],
    [{ id2label: { 0: 'ENTAILMENT', 1: 'neutral' }, label2id: { LABEL_0: 0 } }],
    [{ id2label: { 0: 'ENTAILMENT', 1: 'neutral' }, label2id: { neutral: '1', ENTAILMENT: '0' } }],
  ])('%j numbers the classes of a dataset', fields => {
    const { config } = build(fields)
    expect(config.label2id).toEqual({ ENTAILMENT: 0, neutral: 1 })
    const rows = [{ label: 'neutral' }, { label: 'entailment' }]
    const dataset = Dataset.fromRows(rows).classEncodeColumn('label', ['neutral', 'entailment'])
    expect(dataset.alignLabelsWithMapping(config.label2id!, 'label').column('label')).toEqual([1, 0])
  })

  it('names that are numbers are their texts, and lists are none', () => {
    const model = build({ id2label: { 0: 1, 1: 2.5 } })
    expect(model.config).toMatchObject({ id2label: { 0: '1', 1: '2.5' }, label2id: { 1: 0, '2.5': 1 } })
    expect(model.classNames).toEqual(['1', '2.5'])
    for (const name of [null, ['a'], { a: 1 }])
      expect(() => build({ id2label: { 0: name, 1: 'b' } })).toThrow('"id2label" as an object of names that are texts')
  })

  it('one of which is a regression', () => {
    expect(build({ num_labels: 1 }).numLabels).toBe(1)
    expect(() => build({ num_labels: 1, problem_type: 'single_label_classification' })).toThrow(
      'The config of this bert model has the problem type "single_label_classification", which needs at least 2 labels',
    )
  })
})

describe('labels that a caller gives', () => {
  const abc = { id2label: { 0: 'a', 1: 'b', 2: 'c' }, label2id: { a: 0, b: 1, c: 2 } }
  it.each([
    [{ id2label: ['a', 'b', 'c'] }],
    [{ id2label: { 2: 'c', 0: 'a', 1: 'b' } }],
    [{ label2id: { c: 2, a: 0, b: 1 } }],
    [{ ...abc, numLabels: 3 }],
    [{ config: { id2label: abc.id2label } }],
    [{ config: { label2id: abc.label2id }, numLabels: 3 }],
  ] as [ModelOptions][])('%j are complete', options => {
    const { config } = build({ num_labels: 5, id2label: { 0: 'x' }, label2id: { x: 0 } }, options)
    expect(config).toMatchObject(abc)
  })

  it.each([
    [
      { id2label: { 1: 'a', 2: 'b', 3: 'c' } },
      'id2label has the ids 1, 2, 3; 3 labels need each of 0 to 2 once. Count',
    ],
    [{ id2label: { 0: 'a', 2: 'b' } }, 'id2label has the ids 0, 2; 2 labels need'],
    [{ label2id: { a: 1, b: 2 } }, 'label2id has the ids 1, 2; 2 labels need'],
    [{ label2id: { a: 0, b: 0 } }, 'label2id has the ids 0, 0; 2 labels need'],
    [{ label2id: { a: '0' } }, 'label2id has to give ids that are numbers, not "0".'],
    [{ label2id: ['a'] }, 'label2id has to be an object, not ["a"].'],
    [{ id2label: [] }, 'id2label has to name at least one label.'],
    [{ id2label: ['a', 'a'] }, 'id2label names two labels "a".'],
    [{ id2label: ['a', 1] }, 'id2label has to name labels by texts, not 1.'],
    [{ id2label: 'ab' }, 'id2label has to be a list or an object, not "ab".'],
    [{ id2label: ['a', 'b'], label2id: { a: 1, b: 0 } }, 'id2label names "a", "b", label2id "b", "a", in the order of'],
    [{ label2id: { a: 0 }, numLabels: 2 }, 'numLabels is 2, but label2id names 1 labels. Give only one of the two'],
    [{ numLabels: '3' }, 'numLabels has to be a whole number of at least 1, not "3".'],
    [{ numLabels: null }, 'numLabels has to be a whole number of at least 1, not null.'],
    [{ config: { num_labels: 0 } }, 'numLabels has to be a whole number of at least 1, not 0.'],
    [
      { numLabels: 1, problemType: 'single_label_classification' },
      'The problem type "single_label_classification", which',
    ],
  ])('%j are refused', (options, message) => {
    expect(() => build({}, options as ModelOptions)).toThrow(message)
  })
})

describe('a slip', () => {
  it('in the options, in their config, or in a config is an error with the nearest name', () => {
    expect(() => build({}, { numLabel: 3 } as object)).toThrow('Did you mean numLabels?')
    expect(() => build({}, { config: { hidden_droput_prob: 0 } })).toThrow('Did you mean "hidden_dropout_prob"?')
    expect(() => build({}, { config: { n_layers: 3 } })).toThrow('has the field "n_layers", which no bert has.')
    expect(() => build({ numLabels: 3 })).toThrow('Did you mean "num_labels"?')
    expect(() => build({ hidden_sise: 3 })).toThrow('Did you mean "hidden_size"?')
    for (const own of ['cls_token_id', 'sep_token_id', 'type', 'is_encoder', 'lm', 'head_size'])
      expect(build({ [own]: 101 }).config).toMatchObject({ [own]: 101 })
    expect(build({ my_field: 3 }, { config: { my_field: 4 } }).config).toMatchObject({ my_field: 4 })
    expect(() => build({}, { config: { hidden_dropout_prob: 2 } })).toThrow(
      'The option config needs "hidden_dropout_prob" as a probability',
    )
  })
})

describe('labels of a head that has none', () => {
  const without: Task[] = ['question-answering', 'multiple-choice', 'masked-lm', 'feature-extraction']
  it.each(without)('%s: options are refused, what a config says is harmless', task => {
    const options = { numLabels: 3, id2label: ['a', 'b'], label2id: { a: 0 }, problemType: 'regression' } as const
    for (const [name, value] of Object.entries(options))
      expect(() => modelFromConfig(tinyConfig, { [name]: value }, task)).toThrow(
        `The option ${name} does not apply to a model for ${task}. Leave it out: AutoModelForSequenceClassification `,
      )
    expect(() => modelFromConfig(tinyConfig, { config: { num_labels: 3 } }, task)).toThrow(
      'The option config.num_labels',
    )
    expect(() => modelFromConfig({ ...tinyConfig, id2label: { 0: 'a' } } as ModelConfig, {}, task)).not.toThrow()
  })

  it('token classification takes all but a problem type', () => {
    expect(modelFromConfig(tinyConfig, { numLabels: 3 }, 'token-classification').numLabels).toBe(3)
    expect(() => modelFromConfig(tinyConfig, { problemType: 'regression' }, 'token-classification')).toThrow(
      'The option problemType does not apply to a model for token-classification. Leave it out: ' +
        'AutoModelForSequenceClassification takes it.',
    )
  })
})
