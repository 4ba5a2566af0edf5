import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import {
  loadPretrained,
  matchWeights,
  newlyInitializedWarning,
  type ExpectedTensor,
} from '../../src/checkpoint/pretrained'
import { saveWeights } from '../../src/files/weights'
import { Tensor } from '../../src/tensor'
import { temporaryFolder } from '../helpers/temporaryFolder'

function available(shapes: Record<string, number[]>): { folder: string; shapes: Map<string, number[]> } {
  return { folder: 'checkpoint', shapes: new Map(Object.entries(shapes)) }
}

const expected: ExpectedTensor[] = [
  { name: 'bert.embeddings.word_embeddings.weight', dims: [10, 4] },
  { name: 'bert.embeddings.LayerNorm.weight', dims: [4] },
  { name: 'bert.embeddings.LayerNorm.bias', dims: [4] },
  { name: 'classifier.weight', dims: [2, 4] },
  { name: 'classifier.bias', dims: [2] },
]
const bert = { baseModelPrefix: 'bert' }
const encoder = {
  'embeddings.word_embeddings.weight': [10, 4],
  'embeddings.LayerNorm.weight': [4],
  'embeddings.LayerNorm.bias': [4],
}

describe('matchWeights', () => {
  it('gives a base model a new head', () => {
    const match = matchWeights(
      expected,
      available({ ...encoder, 'embeddings.position_ids': [1, 8], 'pooler.dense.weight': [4, 4] }),
      bert,
    )
    expect([...match.sources].sort()).toEqual([
      ['bert.embeddings.LayerNorm.bias', 'embeddings.LayerNorm.bias'],
      ['bert.embeddings.LayerNorm.weight', 'embeddings.LayerNorm.weight'],
      ['bert.embeddings.word_embeddings.weight', 'embeddings.word_embeddings.weight'],
    ])
    expect(match.missing).toEqual(['classifier.bias', 'classifier.weight'])
    expect(match.unexpected).toEqual(['embeddings.position_ids', 'pooler.dense.weight'])
    expect(newlyInitializedWarning('BertForSequenceClassification', 'bert-base-uncased', match)).toBe(
      'Some weights of BertForSequenceClassification were not initialized from the model checkpoint at ' +
        "bert-base-uncased and are newly initialized: ['classifier.bias', 'classifier.weight']\n" +
        'You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.',
    )
  })

  it.each(['module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.', 'model.'])(
    'takes the names that a wrapper has changed by %s',
    prefix => {
      const names = ['bert.embeddings.word_embeddings.weight', 'classifier.weight', 'bert.embeddings.LayerNorm.gamma']
      const shapes: number[][] = [[10, 4], [2, 4], [4]]
      const stored = Object.fromEntries(names.map((name, i) => [prefix + name, shapes[i]!]))
      const { sources, unexpected } = matchWeights(expected, available(stored), bert)
      expect([...sources]).toEqual(names.map(name => [name.replace('gamma', 'weight'), prefix + name]))
      expect(unexpected).toEqual([])
      const own = matchWeights(expected, available({ ...stored, 'classifier.weight': [2, 4] }), bert)
      expect(own.sources.get('classifier.weight')).toBe('classifier.weight')
      expect(own.unexpected).toEqual([`${prefix}classifier.weight`])
    },
  )

  it('refuses integers, which are codes of a quantized model, whatever their shape', () => {
    const types = new Map([['classifier.weight', 'int8']] as const)
    for (const shape of [
      [2, 4],
      [4, 1],
    ]) {
      const stored = { ...available({ 'classifier.weight': shape, 'bert.embeddings.position_ids': [1, 8] }), types }
      expect(() => matchWeights(expected, stored, { ...bert, ignoreMismatchedSizes: true })).toThrow(
        "Tensor 'classifier.weight' of checkpoint holds int8, but weights are floating point. These are codes",
      )
    }
    expect(() => matchWeights(expected, available({}), bert)).toThrow('The weights of checkpoint hold no tensors.')
  })

  it('knows the old names of LayerNorm, and drops the head of pretraining', () => {
    const match = matchWeights(
      expected,
      available({
        'bert.embeddings.word_embeddings.weight': [10, 4],
        'bert.embeddings.LayerNorm.gamma': [4],
        'bert.embeddings.LayerNorm.beta': [4],
        'cls.predictions.transform.LayerNorm.gamma': [4],
        'cls.seq_relationship.weight': [2, 4],
      }),
      bert,
    )
    expect(match.sources.get('bert.embeddings.LayerNorm.weight')).toBe('bert.embeddings.LayerNorm.gamma')
    expect(match.sources.get('bert.embeddings.LayerNorm.bias')).toBe('bert.embeddings.LayerNorm.beta')
    expect(match.unexpected).toEqual(['cls.predictions.transform.LayerNorm.gamma', 'cls.seq_relationship.weight'])
  })

  it('removes the prefix for a base model, also with old names', () => {
    const base = expected.slice(0, 3).map(({ name, dims }) => ({ name: name.replace('bert.', ''), dims }))
    const match = matchWeights(
      base,
      available({
        'bert.embeddings.word_embeddings.weight': [10, 4],
        'bert.embeddings.LayerNorm.gamma': [4],
        'bert.embeddings.LayerNorm.beta': [4],
      }),
      bert,
    )
    expect(match.missing).toEqual([])
    expect(match.sources.get('embeddings.LayerNorm.bias')).toBe('bert.embeddings.LayerNorm.beta')
  })

  it('prefers the exact name, whatever comes first', () => {
    const names = {
      'embeddings.LayerNorm.weight': [4],
      'bert.embeddings.LayerNorm.gamma': [4],
      'bert.embeddings.LayerNorm.weight': [4],
    }
    const match = matchWeights(expected.slice(1, 2), available(names), bert)
    expect([...match.sources.values()]).toEqual(['bert.embeddings.LayerNorm.weight'])
    expect(match.unexpected).toEqual(['bert.embeddings.LayerNorm.gamma', 'embeddings.LayerNorm.weight'])
  })

  it('does not warn when nothing is missing', () => {
    const match = matchWeights(
      expected,
      available(Object.fromEntries(expected.map(({ name, dims }) => [name, [...dims]]))),
      bert,
    )
    expect(match).toMatchObject({ missing: [], unexpected: [], mismatched: [] })
    expect(newlyInitializedWarning('BertForSequenceClassification', 'x', match)).toBeUndefined()
  })

  it('refuses another shape, or leaves it to be initialised if asked to', () => {
    const other = available({ ...encoder, 'classifier.weight': [3, 4], 'classifier.bias': [2] })
    expect(() => matchWeights(expected, other, bert)).toThrow(
      "Weights of checkpoint do not fit: 'classifier.weight' has shape [3, 4] in the checkpoint " +
        'and [2, 4] in the model. ' +
        'Correct the config (numLabels, vocab_size, …), or pass ignoreMismatchedSizes: true',
    )
    const match = matchWeights(expected, other, { ...bert, ignoreMismatchedSizes: true })
    expect(match.mismatched).toEqual([{ name: 'classifier.weight', found: [3, 4], expected: [2, 4] }])
    expect(match.missing).toEqual([])
    expect(match.sources.has('classifier.weight')).toBe(false)
    expect(newlyInitializedWarning('M', 'c', match)).toBe(
      'Some weights of M were not initialized from the model checkpoint at c ' +
        'and are newly initialized because the shapes did not match:\n' +
        '- classifier.weight: found shape [3, 4] in the checkpoint and [2, 4] in the model instantiated\n' +
        'You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.',
    )
  })

  it('refuses weights if none belongs to the model', () => {
    expect(() => matchWeights(expected, available({ 'transformer.h.0.attn.weight': [4, 4] }), bert)).toThrow(
      "None of the 1 tensors of checkpoint ('transformer.h.0.attn.weight', …) belongs to this model",
    )
  })
})

it('loadPretrained reads what belongs to the model', async () => {
  const folder = temporaryFolder()
  await saveWeights(folder, [
    ['embeddings.LayerNorm.gamma', new Tensor('bfloat16', Uint16Array.of(0x3f80, 0xc000), [2])],
    ['embeddings.position_ids', new Tensor('int64', BigInt64Array.of(0n, 1n), [1, 2])],
  ])
  const loaded = await loadPretrained(
    folder,
    [
      { name: 'bert.embeddings.LayerNorm.weight', dims: [2] },
      { name: 'classifier.bias', dims: [2] },
    ],
    bert,
  )
  expect([...loaded.weights]).toEqual([['bert.embeddings.LayerNorm.weight', Tensor.from('float32', [1, -2])]])
  expect(loaded).toMatchObject({ missing: ['classifier.bias'], unexpected: ['embeddings.position_ids'] })
  await expect(loadPretrained(join(folder, 'none'), [])).rejects.toThrow('There is no folder')
})
