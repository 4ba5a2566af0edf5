import { describe, expect, it } from 'vitest'
import { loadMetric } from '../../src/index'

/** One question, answered. */
const asked = (prediction: string, answers: readonly string[], id = '1') => ({
  predictions: [{ id, prediction_text: prediction, no_answer_probability: 0 }],
  references: [{ id, answers: { text: answers, answer_start: answers.map(() => 0) } }],
})

describe('answers', () => {
  it("are compared with Python's letters, words and blanks", () => {
    const exact = (prediction: string, answer: string) =>
      loadMetric('squad').compute(asked(prediction, [answer])).exact_match
    expect(exact('España', 'Espan~a')).toBe(0)
    expect(exact('España', 'españ')).toBe(0) // \b of JavaScript sees an article at its end
    expect(exact('Elif\u001fGroningen', 'elif groningen')).toBe(100)
    expect(exact('Elif\ufeff', 'Elif')).toBe(0)
    expect(exact('İstanbul', 'i̇stanbul')).toBe(100)
    expect(exact('a\u0301', '\u0301')).toBe(100) // a combining mark is no letter there
    expect(exact('an_apple', 'apple')).toBe(0)
  })

  it('that are both empty have F1 0 by the first rules, 1 by the second', () => {
    const rows = asked('the', ['a'])
    expect(loadMetric('squad').compute(rows)).toEqual({ exact_match: 100, f1: 0 })
    expect(loadMetric('squad_v2').compute(rows)).toMatchObject({ exact: 100, f1: 100, HasAns_total: 1 })
  })

  it('are looked up by id, over all batches', () => {
    const metric = loadMetric('squad')
    metric.addBatch({ predictions: asked('x', ['x'], 'a').predictions, references: asked('y', ['z'], 'b').references })
    metric.addBatch({ predictions: asked('y', ['z'], 'b').predictions, references: asked('x', ['x'], 'a').references })
    expect(metric.compute()).toEqual({ exact_match: 50, f1: 50 })
  })

  it.each([
    ['squad', asked('x', []), {}, 'squad: the question "1" has no answer to compare with. Of questions without'],
    ['squad', { ...asked('x', ['x']), predictions: [] }, {}, 'there is no prediction for the question "1".'],
    ['squad_v2', { ...asked('x', ['x']), predictions: [] }, {}, 'there is no prediction for the question "1".'],
    ['squad', { ...asked('x', ['x']), references: [] }, {}, 'there is a prediction for "1", which is not among the'],
    ['squad', { references: asked('x', ['x']).references, predictions: [{ id: '1' }] }, {}, 'has no prediction_text'],
    [
      'squad',
      { ...asked('x', ['x']), references: [{ id: '1', answers: ['x'] }] },
      {},
      'has no answers.text, a list of',
    ],
    [
      'squad',
      { ...asked('x', ['x']), references: [{ answers: { text: [] } }] },
      {},
      'row 0 of the references has no id',
    ],
    [
      'squad_v2',
      { ...asked('x', ['x']), predictions: [{ id: '1', prediction_text: '' }] },
      {},
      'has no no_answer_probability. Give a number',
    ],
    ['squad_v2', asked('x', ['x']), { noAnswerThreshold: '1' }, 'noAnswerThreshold should be a number, not "1".'],
    ['squad', asked('x', ['x']), { noAnswerThreshold: 1 }, 'compute() of squad has no option "noAnswerThreshold"'],
    ['squad', { predictions: 'x', references: [] }, {}, "the predictions should be a list of objects, not 'x'."],
  ])('%s of %j with %j is refused', (name, rows, options, message) => {
    expect(() => loadMetric(name).compute({ ...rows, ...options } as never)).toThrow(message)
  })

  it('are refused twice for one question', () => {
    const metric = loadMetric('squad')
    metric.addBatch(asked('x', ['x']))
    expect(() => metric.compute(asked('x', ['x']))).toThrow('the predictions have the question "1" twice.')
  })
})
